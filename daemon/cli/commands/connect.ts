import { Command } from 'commander';
import { daemonPaths } from '../../server/life/paths.ts';
import { connectOrStart } from '../../server/life/startDaemon.ts';
import { daemonCommandLine } from '../viaDaemon/connection.ts';

/** `unimiss connect`, and `unimiss lsp`, its other name */
export function connectCommand(): Command {
  return new Command('connect')
    .alias('lsp')
    .description(
      'Connect standard input and output to the daemon; start it if needed. Speaks JSON-RPC with LSP framing, for editors and SSH.',
    )
    .addHelpText(
      'after',
      '\ndocs/protocol.md describes the messages. The command exits when either side\ncloses the connection.',
    )
    .action(async () => {
      const socket = await connectOrStart(daemonPaths(), daemonCommandLine());
      // If the other side closes its stream first, the session ends; that is not an error.
      for (const stream of [socket, process.stdin, process.stdout]) stream.on('error', () => socket.destroy());
      process.stdin.pipe(socket);
      socket.pipe(process.stdout);
      await new Promise<void>((resolve) => {
        socket.once('close', resolve);
        process.stdin.once('close', () => socket.end());
      });
      // Flush the last output before exiting.
      await new Promise<void>((resolve) => process.stdout.once('close', resolve).write('', () => resolve()));
      process.exit(0);
    });
}
