/** Colours for the canvas, from the style sheet of the theme in use. */
export interface Theme {
  text: string;
  grid: string;
  background: string;
  warning: string;
  error: string;
  band2D: string;
  band3D: string;
  strip2D: string;
  strip3D: string;
  runs: string[];
  font: string;
}

export const runColors = 8;

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: color('--um-muted'),
    grid: color('--um-grid'),
    background: color('--um-card'),
    warning: color('--um-warning'),
    error: color('--um-error'),
    band2D: color('--um-band-2d'),
    band3D: color('--um-band-3d'),
    strip2D: color('--um-strip-2d'),
    strip3D: color('--um-strip-3d'),
    runs: Array.from({ length: runColors }, (_, i) => color(`--um-run-${i + 1}`)),
    font: `${Math.max(9, (Number.parseFloat(style.fontSize) || 13) - 2)}px ${style.fontFamily}`,
  };
}

/**
 * Calls `changed` when the theme changes. In VS Code, the body's classes name the theme; elsewhere this function sets them from
 * the system's preference.
 */
export function followTheme(standalone: boolean, changed: () => void): void {
  if (!standalone) {
    const observer = new MutationObserver(changed);
    observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
    return;
  }
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const contrast = [matchMedia('(prefers-contrast: more)'), matchMedia('(forced-colors: active)')];
  const apply = () => {
    const high = contrast.some((query) => query.matches);
    const light = dark.matches ? '' : '-light';
    const kind = high ? `vscode-high-contrast${light}` : dark.matches ? 'vscode-dark' : 'vscode-light';
    document.body.className = `um-standalone ${kind}${high ? ' vscode-high-contrast' : ''}`;
    document.body.dataset.vscodeThemeKind = kind;
    changed();
  };
  for (const query of [dark, ...contrast]) query.addEventListener('change', apply);
  apply();
}
