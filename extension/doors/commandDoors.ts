import { commands, Disposable, type Extension } from 'vscode';

/**
 * The commands of package.json, until the whole is loaded: the first that is called loads it, whereupon these must be gone, and
 * calls the real one.
 */
export function commandDoors(
  { packageJSON }: Pick<Extension<unknown>, 'packageJSON'>,
  load: () => unknown,
): Disposable {
  const declared: readonly { readonly command: string }[] = packageJSON.contributes.commands;
  return Disposable.from(
    ...declared.map(({ command }) =>
      commands.registerCommand(command, (...args) => {
        load();
        return commands.executeCommand(command, ...args);
      }),
    ),
  );
}
