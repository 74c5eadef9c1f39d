import { commands, Disposable, type Extension } from 'vscode';

/**
 * The commands of package.json, until the whole is loaded: the first that is called loads it, whereupon these must be gone, and
 * calls the real one.
 * @param load returns whether the whole is there; if not, the user knows why
 */
export function commandDoors(
  { packageJSON }: Pick<Extension<unknown>, 'packageJSON'>,
  load: () => boolean,
): Disposable {
  const declared: readonly { readonly command: string }[] = packageJSON.contributes.commands;
  return Disposable.from(
    ...declared.map(({ command }) =>
      commands.registerCommand(command, (...args) => (load() ? commands.executeCommand(command, ...args) : undefined)),
    ),
  );
}
