const labelFolder = /^(labels|masks|segmentations|annotations|.*predictions?.*|preds?|inferred?.*)/i;

/** Whether a folder holds labels or predictions, by its name. */
export function isLabelFolder(name: string): boolean {
  return labelFolder.test(name);
}

/** Whether a folder beside one of images holds labels of these, by their names: of `labelsTr` and `labelsTs` only the one that fits `imagesTr`. */
export function holdsLabelsOf(folder: string, images: string): boolean {
  if (!isLabelFolder(folder)) return false;
  const part = /^images(Tr|Ts|Va|Val)$/.exec(images)?.[1];
  const own = /^labels(Tr|Ts|Va|Val)$/.exec(folder)?.[1];
  return part === undefined || own === undefined || part === own;
}
