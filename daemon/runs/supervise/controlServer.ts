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
/** What a daemon asks, once it has said `hello`. */
export type Request = Exclude<ToTrainer, { type: 'hello' }>;

/** How long a daemon has to take the last message, ms. */
const LAST_MESSAGE = 2000;
/** The daemon that started a trainer connects within this time, ms: what ends sooner waits for it, to say why. */
const FIRST_DAEMON = 5000;

/**
 * The trainer's side of its control: a Unix socket on which daemons connect, of which any may come and go, one after another or two
 * at once, while the trainer goes on. Each is told how it stands, then what happens.
 */
export class ControlServer {
  private readonly server: Server;
  private readonly conversations = new Set<Conversation>();
  private readonly began = performance.now();
  private heardOf: () => void = () => {};
  private readonly someDaemon = new Promise<void>((resolve) => {
    this.heardOf = resolve;
  });
  /** What a daemon that comes now has to know. */
  private readonly standing: { preparing?: FromTrainer; paused?: FromTrainer; stopping?: FromTrainer } = {};

  private constructor(
    private readonly path: string,
    private readonly run: string,
    private readonly obey: (request: Request, answer: (message: FromTrainer) => void) => void,
  ) {
    this.server = createServer((socket) => this.accept(socket));
  }

  /**
   * Listens on a socket in a folder of the user's alone.
   * @param obey what to do with a request
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

  /** Tells all daemons, and those that come later where it is about how things stand. */
  tell(message: FromTrainer): void {
    if (message.type === 'stage' || message.type === 'progress') this.standing.preparing = message;
    else if (message.type === 'paused') this.standing.paused = message;
    else if (message.type === 'stopping') this.standing.stopping = message;
    for (const conversation of this.conversations) conversation.send(message);
  }

  /** Says the last word and ends: the socket is gone, and nothing here keeps the process alive. */
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
      // A daemon of another version reads in our `hello` that it is not understood here.
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
