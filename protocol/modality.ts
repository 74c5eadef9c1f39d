import * as z from 'zod/mini';

/** The two kinds of images: pictures such as X-rays, and volumes such as CT. An epoch trains on one of them. */
export const modalities = ['2D', '3D'] as const;
export type Modality = (typeof modalities)[number];
export const modalitySchema = z.enum(modalities);
