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

/** Between two attempts to reach a trainer: one that is starting, and one that was reached before, ms. */
const AGAIN = { starting: 25, lost: 250 };

/** What a trainer says once it is known. */
export type News = Exclude<FromTrainer, { type: 'hello' }>;
export type Outcome = Extract<FromTrainer, { type: 'ended' | 'failed' }>;

/** How a link ended: with its trainer, or because the other side is none that this daemon can speak with. */
export type LinkEnd = { exit: Exit; outcome: Outcome | undefined; killed: boolean } | { misfit: string };

/** The daemon's side of one trainer: its process, and the conversation with it, which is made again where it is lost. */
export class TrainerLink {
  /** Resolves, never rejects, when the process is gone and all that it said was heard. Stays open where the trainer is left to itself. */
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

  /** @param socket where the trainer listens, now or soon */
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

  /** Says something to the trainer, once it listens. A trainer that is gone hears nothing: `ended` tells that. */
  send(message: ToTrainer): void {
    if (this.conversation) this.conversation.send(message);
    else this.waiting.push(message);
  }

  /** Ends the process at once. */
  kill(): void {
    this.killed = true;
    this.body.kill();
  }

  /** Leaves the trainer to itself, and to the next daemon. */
  leave(): void {
    this.left = true;
    this.conversation?.destroy();
    this.body.leave();
  }

  /** How long the trainer takes to answer, ms. Rejects when it ends before. */
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

  /** Speaks with the trainer until its last word or its end. */
  private async converse(): Promise<void> {
    while (!this.gone && !this.left && !this.outcome && this.misfit === undefined) {
      const socket = await reach(this.socket).catch(() => undefined); // who may not enter sees no socket
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
