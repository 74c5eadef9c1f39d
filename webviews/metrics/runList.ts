import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import type { VscodeCheckbox } from '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import { element, setText } from './dom.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';

interface Item {
  root: HTMLElement;
  box: VscodeCheckbox;
  swatch: HTMLElement;
  state: HTMLElement;
}

/** The runs with a checkbox and a colour each. */
export class RunList {
  readonly root = element('ul', { className: 'runs', attributes: { 'aria-label': 'Runs' } });
  private readonly items = new Map<string, Item>();

  constructor(private readonly toggle: (id: string, shown: boolean) => void) {}

  show(runs: readonly Run[], hidden: readonly string[], color: (id: string) => string): void {
    for (const [id, item] of this.items) {
      if (runs.some((r) => r.id === id)) continue;
      item.root.remove();
      this.items.delete(id);
    }
    for (const run of runs) {
      const item = this.items.get(run.id) ?? this.add(run);
      item.box.checked = !hidden.includes(run.id);
      item.root.classList.toggle('off', !item.box.checked);
      item.swatch.style.backgroundColor = color(run.id);
      const step = run.steps.values('step')?.at(-1);
      setText(item.state, `${run.state}${step === undefined ? '' : ` · ${formatCount(step + 1)} steps`}`);
    }
  }

  private add(run: Run): Item {
    const box = document.createElement('vscode-checkbox') as VscodeCheckbox;
    box.label = run.name;
    box.addEventListener('change', () => this.toggle(run.id, box.checked));
    const swatch = element('span', { className: 'swatch' });
    const state = element('span', { className: 'run-state' });
    const root = element('li', {}, swatch, box, state);
    root.dataset.run = run.id;
    this.root.append(root);
    const item = { root, box, swatch, state };
    this.items.set(run.id, item);
    return item;
  }
}
