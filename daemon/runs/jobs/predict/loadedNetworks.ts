import { type OpenNetwork, type OpenNetworks, openNetworks, planOf } from './network.ts';

/** Keeps the networks of a process loaded from one prediction to the next, as long as their weights are the same. */
export class LoadedNetworks {
  private loaded: { readonly key: string; readonly network: OpenNetwork } | undefined;

  /** As `openNetworks`; `close` of what it returns does nothing. */
  readonly open: OpenNetworks = async (sources, checkpoint, notice) => {
    const key = JSON.stringify(await Promise.all(sources.map((source) => source.identity(checkpoint))));
    if (this.loaded?.key !== key) {
      this.loaded?.network.close();
      this.loaded = undefined;
      this.loaded = { key, network: await openNetworks(sources, checkpoint, notice) };
    }
    return { ...this.loaded.network, plan: planOf(sources), close: () => {} };
  };
}
