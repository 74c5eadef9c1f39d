import * as z from 'zod/mini';
import 'uplot/dist/uPlot.min.css';
import './metrics.css';
import { MetricsApp } from './app.ts';
import { embeddedSource, messageSource, pageState, type WebviewApi, webviewState } from './source.ts';

// Otherwise zod tries to make functions from text, which violates the page's content security policy.
z.config({ jitless: true });

declare const acquireVsCodeApi: (() => WebviewApi) | undefined;

const root = document.createElement('main');
root.id = 'metrics';
document.body.append(root);
if (typeof acquireVsCodeApi === 'function') {
  const api = acquireVsCodeApi();
  new MetricsApp(root, messageSource(api, window), webviewState(api, document), false);
} else {
  new MetricsApp(root, embeddedSource(document), pageState(window), true);
}
