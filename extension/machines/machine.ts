import { type Disposable, EventEmitter, type LogOutputChannel } from 'vscode';
import { connectMachine } from '../../machines/connect.ts';
import type { Payload } from '../../machines/payload.ts';
import type { Asking } from '../../machines/sshCommand.ts';
import { bringWheels } from '../../machines/wheels.ts';
import { daemonStatus, engineWheels, type MachineStatus, machineStatus } from '../../protocol/daemon/messages.ts';
import type { ResultOf } from '../../protocol/daemon/rpc.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { DaemonClient } from '../client/daemonClient.ts';
import { daemonEnvironment, makeMachineClient } from '../client/languageClient.ts';

/** Pauses between attempts after the line has dropped, ms; the last one again and again, as a laptop may sleep for days. */
const pauses = { first: [], again: [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 60_000] };

export type RetiredDaemons = ResultOf<typeof daemonStatus>['retired'];

export interface MachineServices {
  output: LogOutputChannel;
  payload(): Promise<Payload>;
  /** How `ssh` may ask the user. */
  asking(host: string, cancel: () => void): Promise<Asking>;
}

/** Another machine: the connection to its daemon, and what that last said about the machine. */
export class Machine implements Disposable {
  readonly client: DaemonClient;
  status: MachineStatus | undefined;
  /** Daemons of other versions, which stay there for their runs. */
  retired: RetiredDaemons = [];
  private interaction: { progress(message: string): void; cancelled: AbortController } | undefined;
  private readonly changed = new EventEmitter<void>();

  /** Fires when its state or status changes. */
  readonly onDidChange = this.changed.event;

  constructor(
    readonly host: string,
    private readonly services: MachineServices,
  ) {
    const { output } = services;
    const makeClient = async (_: unknown, signal: AbortSignal) => makeMachineClient(await this.open(signal), output);
    this.client = new DaemonClient({ makeClient, pauses, endless: true }, output);
    this.client.onDidChangeState(({ kind }) => {
      if (kind !== 'connected') [this.status, this.retired] = [undefined, []];
      this.changed.fire();
    });
  }

  /**
   * Connects as the user wished, who answers what `ssh` asks and sees what is copied. Connections that are made by themselves ask
   * nothing: they fail instead.
   * @throws UnimissError 'interrupted' if the user cancelled
   */
  async connect(progress: (message: string) => void, signal: AbortSignal): Promise<void> {
    const cancelled = new AbortController();
    signal.addEventListener('abort', () => cancelled.abort(), { once: true });
    this.interaction = { progress, cancelled };
    try {
      // Instead of waiting for the next attempt.
      if (this.client.state.kind === 'connecting') await this.client.close();
      await this.client.connect();
    } catch (error) {
      if (cancelled.signal.aborted) throw new UnimissError('interrupted', 'cancelled', { place: this.host });
      throw error;
    } finally {
      this.interaction = undefined;
    }
  }

  /**
   * Brings TensorFlow's files from here, for an installation on a machine that reaches no package index.
   * @param progress one line for people
   */
  async bringEngine(device: 'cpu' | 'cuda', progress: (message: string) => void, signal: AbortSignal): Promise<void> {
    const needed = await this.client.request(engineWheels, { device });
    const options = { asking: 'nobody' as const, env: daemonEnvironment(), signal, onProgress: progress };
    await bringWheels(this.host, { ...needed, device }, options);
  }

  /** Asks how busy it is, if it is connected. */
  async look(): Promise<void> {
    if (this.client.state.kind !== 'connected') return;
    const [status, { retired }] = await Promise.all([
      this.client.request(machineStatus, {}),
      this.client.request(daemonStatus, {}),
    ]);
    this.status = status;
    this.retired = retired;
    this.changed.fire();
  }

  async dispose(): Promise<void> {
    await this.client.dispose();
    this.changed.dispose();
  }

  private async open(signal: AbortSignal) {
    const { interaction, services, host } = this;
    const asking = interaction ? await services.asking(host, () => interaction.cancelled.abort()) : 'nobody';
    return connectMachine(host, await services.payload(), {
      asking,
      env: daemonEnvironment(),
      signal: interaction ? AbortSignal.any([signal, interaction.cancelled.signal]) : signal,
      onProgress: (message) => {
        interaction?.progress(message);
        services.output.debug(message);
      },
    });
  }
}
