import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { runViews } from '../../../protocol/runs/viewsMessages.ts';
import { viewsOfImage } from '../../runs/start/pretrain/viewsOfImage.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import type { Services } from './services.ts';

/** What the network of a run sees of an image of the user's choice. */
export function viewHandlers({ registry }: Services): Handler[] {
  return [
    handle(runViews, async ({ run: ref, image, epoch }) => {
      const { config } = await registry.find(ref);
      const pretraining = requirePretrain(config);
      const { phase, views } = await viewsOfImage(pretraining, absolute(image), epoch);
      const slices = phase === '3D' ? pretraining.model.size3D[0] : 1;
      const encoded = views.map(({ data, ...view }) => ({
        ...view,
        slices,
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      }));
      return { phase, views: encoded };
    }),
  ];
}
