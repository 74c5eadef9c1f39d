type Child = Node | string | null | undefined;

/** Makes an element: `properties` are set as properties (never as markup), strings become text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<Omit<HTMLElementTagNameMap[K], 'attributes'>> & { attributes?: Record<string, string> } = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  const { attributes, ...rest } = properties;
  Object.assign(node, rest);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...children.filter((c): c is Node | string => c !== null && c !== undefined));
  return node;
}

/** Sets text only if it differs, so that screen readers and layout are not disturbed. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Runs `work` once in the next frame, however often it is called before that. */
export function oncePerFrame(work: () => void): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      work();
    });
  };
}
