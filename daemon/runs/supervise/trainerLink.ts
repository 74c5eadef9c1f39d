import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { version } from '../../../package.json';
import { UnimissError } from '../../../protocol/errors.ts';
import {
  controlVersion,
  type FromTrainer,
  fromTrainerSchema,
  type ToTrainer,
} from '../../../protocol/runs/trainerMessages.ts';
import { reach } from '../../files/reach.ts';
import { MessageSocket } from './messageSocket.ts';
import type { Exit, TrainerBody } from './trainerBody.ts';

/** Pause between two attempts to reach a trainer that is starting, or that was reached before, ms. */
const AGAIN = { starting: 25, lost: 250 };

/** The messages of a trainer after its `hello`. */
export type News = Exclude<FromTrainer, { type: 'hello' }>;
export type Outcome = Extract<FromTrainer, { type: 'ended' | 'failed' }>;

/** How a link ended: with its trainer, or because this daemon cannot speak with the other side. */
export type LinkEnd = { exit: Exit; outcome: Outcome | undefined; killed: boolean } | { misfit: string };

/** The daemon's side of one trainer: its process, and a connection to it, which is renewed after a loss. */
export class TrainerLink {
  /** Resolves when the process has ended and all its messages are handled; never rejects. Stays pending after `leave`. */
  readonly ended: Promise<LinkEnd>;
  private conversation: MessageSocket<FromTrainer, ToTrainer> | undefined;
  private readonly waiting: ToTrainer[] = [];
  private readonly pings = new Map<number, () => void>();
  private pingId = 0;
  private heard = false;
  private gone = false;
  private left = false;
  private killed = false;
  private outcome: Outcome | undefined;
  private misfit: string | undefined;

  /** @param socket on which the trainer listens, now or soon */
  constructor(
    private readonly socket: string,
    private readonly body: TrainerBody,
    private readonly onMessage: (message: News) => void,
  ) {
    this.ended = this.untilEnded();
  }

  get pid(): number | undefined {
    return this.body.pid;
  }

  /** Sends a message to the trainer once it listens. If the trainer has ended, the message is lost and `ended` resolves. */
  send(message: ToTrainer): void {
    if (this.conversation) this.conversation.send(message);
    else this.waiting.push(message);
  }

  /** Ends the process at once. */
  kill(): void {
    this.killed = true;
    this.body.kill();
  }

  /** Leaves the trainer to the next daemon. */
  leave(): void {
    this.left = true;
    this.conversation?.destroy();
    this.body.leave();
  }

  /** How long the trainer takes to answer, ms. Rejects if it ends first. */
  async ping(): Promise<number> {
    const id = ++this.pingId;
    const begin = performance.now();
    const answered = new Promise<true>((resolve) => this.pings.set(id, () => resolve(true)));
    this.send({ type: 'ping', id });
    const heard = await Promise.race([answered, this.ended.then(() => false)]);
    this.pings.delete(id);
    if (heard) return performance.now() - begin;
    throw new UnimissError('run', 'the trainer exited before it answered');
  }

  private async untilEnded(): Promise<LinkEnd> {
    const exited = this.body.exited.then((exit) => {
      this.gone = true;
      return exit;
    });
    await this.converse();
    if (this.misfit !== undefined) {
      this.body.leave();
      return { misfit: this.misfit };
    }
    const exit = await exited;
    return { exit, outcome: this.outcome, killed: this.killed };
  }

  /** Exchanges messages with the trainer until its last message or its end. */
  private async converse(): Promise<void> {
    while (!this.gone && !this.left && !this.outcome && this.misfit === undefined) {
      const socket = await reach(this.socket).catch(() => undefined); // without permission there is no socket
      if (socket) await this.talk(socket);
      this.body.look();
      if (this.outcome || this.misfit !== undefined) return;
      const pause = new AbortController();
      const again = setTimeout(this.heard ? AGAIN.lost : AGAIN.starting, undefined, { signal: pause.signal });
      await Promise.race([again, this.body.exited]).finally(() => pause.abort());
    }
  }

  private async talk(socket: Socket): Promise<void> {
    const conversation = new MessageSocket<FromTrainer, ToTrainer>(socket, fromTrainerSchema, (message) => {
      if (message.type !== 'hello') this.hear(message);
      else if (this.fits(message)) {
        conversation.send({ type: 'hello', control: controlVersion, pid: process.pid, version });
        this.heard = true;
        this.conversation = conversation;
        for (const first of this.waiting.splice(0)) conversation.send(first);
      } else conversation.destroy();
    });
    if (this.left) conversation.destroy();
    const problem = await conversation.closed;
    this.conversation = undefined;
    if (problem !== undefined) this.misfit = problem;
  }

  private fits(hello: Extract<FromTrainer, { type: 'hello' }>): boolean {
    const { control, pid, run } = hello;
    if (control !== controlVersion)
      this.misfit = `it uses control protocol version ${control}, this daemon uses ${controlVersion}`;
    else if (pid !== this.body.pid) this.misfit = `process ${pid} answers on its socket, for ${run}`;
    return this.misfit === undefined;
  }

  private hear(message: News): void {
    if (message.type === 'pong') this.pings.get(message.id)?.();
    else if (message.type === 'ended' || message.type === 'failed') this.outcome = message;
    this.onMessage(message);
  }
}
