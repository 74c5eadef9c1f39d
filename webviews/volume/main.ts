import './volume.css';
import type { VolumeMessage } from '../../protocol/viewer/volume.ts';
import { VolumeApp } from './volumeApp.ts';

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

const editor = acquireVsCodeApi();
const app = new VolumeApp(document.body);
// Only the extension can send messages here: the page loads nothing from elsewhere.
window.addEventListener('message', ({ data }: MessageEvent<VolumeMessage>) => {
  app.show(data).catch((error: unknown) => app.fail(error));
});
editor.postMessage({ type: 'ready' });
