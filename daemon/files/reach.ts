import { createConnection, type Socket } from 'node:net';

/** A connection to a socket; undefined if no process listens: there is no file, or a dead daemon left it. */
export function reach(socket: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(socket);
    connection.once('connect', () => {
      connection.removeAllListeners('error');
      resolve(connection);
    });
    connection.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
  });
}

/** Whether a process listens on a socket. */
export async function reachable(socket: string): Promise<boolean> {
  const connection = await reach(socket);
  connection?.destroy();
  return connection !== undefined;
}
