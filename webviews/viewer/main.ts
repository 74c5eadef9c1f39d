import './viewer.css';
import type { ViewerMessage } from '../../protocol/viewer/page.ts';
import { ViewerApp } from './app.ts';

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

const editor = acquireVsCodeApi();
const app = new ViewerApp(document.body, (request) => editor.postMessage(request));
// Only the extension can send messages here: the page loads nothing from elsewhere.
window.addEventListener('message', ({ data }: MessageEvent<ViewerMessage>) => app.receive(data));
editor.postMessage({ type: 'ready' });
