import './volume.css';
import type { VolumeLabelsMessage, VolumeMessage } from '../../protocol/viewer/volume.ts';
import { VolumeApp } from './volumeApp.ts';

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

const editor = acquireVsCodeApi();
const app = new VolumeApp(document.body);
// Only the extension can send messages here: the page loads nothing from elsewhere.
let received = Promise.resolve();
window.addEventListener('message', ({ data }: MessageEvent<VolumeMessage | VolumeLabelsMessage>) => {
  // One after the other: of a volume that is still being loaded, labels may have been switched off already.
  received = received.then(() => app.receive(data)).catch((error: unknown) => app.fail(error));
});
editor.postMessage({ type: 'ready' });
