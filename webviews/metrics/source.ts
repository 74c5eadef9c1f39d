import { embeddedMetricsId, type MetricsRequest, type MetricsSource } from '../../protocol/metrics/page.ts';
import type { StateStore } from './state.ts';

/** The API that a VS Code webview gets from its host. */
export interface WebviewApi {
  postMessage(message: MetricsRequest): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** Data from a script tag of the page itself. */
export function embeddedSource(page: Document): MetricsSource {
  return {
    open(listener) {
      const text = page.getElementById(embeddedMetricsId)?.textContent;
      listener(text ? JSON.parse(text) : undefined);
      return () => {};
    },
    resend() {
      // The page contains a snapshot, and no message follows.
    },
  };
}

/** Messages from the host of a webview. */
export function messageSource(api: WebviewApi, from: Window): MetricsSource {
  return {
    open(listener) {
      const receive = (event: MessageEvent) => listener(event.data);
      from.addEventListener('message', receive);
      api.postMessage({ type: 'ready' });
      return () => from.removeEventListener('message', receive);
    },
    resend(after) {
      api.postMessage({ type: 'resend', after });
    },
    host: {
      act: (run, action) => api.postMessage({ type: 'act', run, action }),
      openImage: (run, image) => api.postMessage({ type: 'openImage', run, image }),
    },
  };
}

/**
 * The state in the webview's own store. It always includes the runs that the host wrote into the page: after a reload of the
 * window, only this state tells the host what the panel showed.
 */
export function webviewState(api: WebviewApi, page: Document): StateStore {
  const { runs } = page.body.dataset;
  const save = (state: unknown) => api.setState({ ...(state as object), ...(runs && { runs: JSON.parse(runs) }) });
  save(api.getState() ?? {});
  return { load: () => api.getState(), save };
}

/** The state in the history entry of the page: survives a reload, also from file://, and leaves nothing behind. */
export function pageState(page: Window): StateStore {
  return {
    load: () => page.history.state,
    save: (state) => page.history.replaceState(state, ''),
  };
}
