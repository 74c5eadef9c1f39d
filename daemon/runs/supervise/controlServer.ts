import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { version } from '../../../package.json';
import {
  controlVersion,
  type FromTrainer,
  type ToTrainer,
  toTrainerSchema,
} from '../../../protocol/runs/trainerMessages.ts';
import { diskError } from '../../files/atomic.ts';
import { secureSocketFolder } from '../../files/socketPath.ts';
import { MessageSocket } from './messageSocket.ts';

type Conversation = MessageSocket<ToTrainer, FromTrainer>;
/** The requests of a daemon after its `hello`. */
export type Request = Exclude<ToTrainer, { type: 'hello' }>;

/** Time for a daemon to take the last message, ms. */
const LAST_MESSAGE = 2000;
/** The daemon that started a trainer connects within this time, ms. A trainer that ends sooner waits for it, to report why. */
const FIRST_DAEMON = 5000;

/**
 * The trainer's side of the control protocol: a Unix socket to which daemons connect. Daemons may come and go, one after another
 * or two at once, while the trainer goes on. Each receives the present state first, then what happens.
 */
export class ControlServer {
  private readonly server: Server;
  private readonly conversations = new Set<Conversation>();
  private readonly began = performance.now();
  private heardOf: () => void = () => {};
  private readonly someDaemon = new Promise<void>((resolve) => {
    this.heardOf = resolve;
  });
  /** What a daemon that connects now must know. */
  private readonly standing: { preparing?: FromTrainer; paused?: FromTrainer; stopping?: FromTrainer } = {};

  private constructor(
    private readonly path: string,
    private readonly run: string,
    private readonly obey: (request: Request, answer: (message: FromTrainer) => void) => void,
  ) {
    this.server = createServer((socket) => this.accept(socket));
  }

  /**
   * Listens on a socket in a folder that is private to the user.
   * @param obey carries out a request
   * @throws UnimissError 'daemon', 'disk'
   */
  static async listen(path: string, run: string, obey: ControlServer['obey']): Promise<ControlServer> {
    await secureSocketFolder(dirname(path));
    const control = new ControlServer(path, run, obey);
    control.server.listen(path);
    await once(control.server, 'listening').catch((error) => {
      throw diskError(error, path);
    });
    await chmod(path, 0o600);
    return control;
  }

  /** Sends a message to all daemons. Later daemons receive it too if it describes the present state. */
  tell(message: FromTrainer): void {
    if (message.type === 'stage' || message.type === 'progress') this.standing.preparing = message;
    else if (message.type === 'paused') this.standing.paused = message;
    else if (message.type === 'stopping') this.standing.stopping = message;
    for (const conversation of this.conversations) conversation.send(message);
  }

  /** Sends the last message and ends: removes the socket, and keeps the process alive no longer. */
  async close(last: FromTrainer): Promise<void> {
    const soon = FIRST_DAEMON - (performance.now() - this.began);
    if (soon > 0) await Promise.race([this.someDaemon, new Promise((resolve) => setTimeout(resolve, soon).unref())]);
    this.server.close(); // removes the socket's file
    this.tell(last);
    await Promise.all([...this.conversations].map((conversation) => conversation.end(LAST_MESSAGE)));
    await rm(this.path, { force: true });
  }

  private accept(socket: Socket): void {
    let known = false;
    const conversation: Conversation = new MessageSocket(socket, toTrainerSchema, (message) => {
      if (message.type !== 'hello') {
        if (known) this.obey(message, (answer) => conversation.send(answer));
        return;
      }
      // Our `hello` tells a daemon of another version that we do not understand it.
      if (known || message.control !== controlVersion) return;
      known = true;
      this.heardOf();
      this.conversations.add(conversation);
      for (const now of Object.values(this.standing)) conversation.send(now);
    });
    conversation.send({ type: 'hello', control: controlVersion, pid: process.pid, run: this.run, version });
    void conversation.closed.then(() => this.conversations.delete(conversation));
  }
}
