/** Types under which the editor's explorer, and other programs, name files that are dragged; the first that is there counts. */
const lists = ['application/vnd.code.uri-list', 'text/uri-list'] as const;

/** Addresses of the files that were dropped; none where something else was. */
export function droppedUris(data: Pick<DataTransfer, 'getData'>): string[] {
  for (const type of lists) {
    // Lines with # are comments (RFC 2483).
    const uris = data
      .getData(type)
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('#'));
    if (uris.length > 0) return uris.slice(0, mostDropped);
  }
  return [];
}

/** As many as one drop may bring. */
export const mostDropped = 16;

/** Calls with the files that are dropped anywhere on an element. */
export function acceptDrops(root: HTMLElement, dropped: (uris: string[]) => void): void {
  const over = (event: DragEvent) => {
    event.preventDefault(); // else nothing could be dropped
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    root.classList.add('dropping');
  };
  root.addEventListener('dragenter', over);
  root.addEventListener('dragover', over);
  root.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) root.classList.remove('dropping');
  });
  root.addEventListener('drop', (event) => {
    event.preventDefault();
    root.classList.remove('dropping');
    const uris = event.dataTransfer ? droppedUris(event.dataTransfer) : [];
    if (uris.length > 0) dropped(uris);
  });
}
