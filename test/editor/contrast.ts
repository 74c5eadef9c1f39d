import type { Locator } from 'playwright-core';

/** WCAG's contrast ratio (1 to 21) between an element's text and the first background behind it that is not transparent. */
export async function contrast(element: Locator): Promise<number> {
  return element.first().evaluate((start) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const pixel = (color: string) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color: string) => {
      const [r, g, b] = pixel(color).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    // A webview is transparent itself: the editor's background lies behind it.
    let background = getComputedStyle(document.documentElement).getPropertyValue('--vscode-editor-background');
    for (let one: Element | null = start; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (pixel(color)[3] === 255) {
        background = color;
        break;
      }
    }
    const both = [luminance(getComputedStyle(start).color), luminance(background)];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  });
}
