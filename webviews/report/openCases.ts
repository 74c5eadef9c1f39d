/** What the editor offers a report beside what is in its file. */
export interface EditorCases {
  /** Cases that the viewer can show. */
  readonly ids: readonly string[];
  open(id: string): void;
}

/** Makes the names of cases that the viewer can show into buttons; in a plain browser they stay text. */
export function offerCases({ ids, open }: EditorCases): void {
  const known = new Set(ids);
  for (const place of document.querySelectorAll<HTMLElement>('[data-case]')) {
    const id = place.dataset.case ?? '';
    if (!known.has(id)) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'case';
    button.textContent = place.textContent;
    button.title = 'Open it in the viewer, at the slice with the most errors';
    button.addEventListener('click', () => open(id));
    place.replaceChildren(button);
  }
}
