import type { ErrorData } from '../protocol/daemon/wireError.ts';
import type { Place } from '../protocol/viewer/geometry.ts';
import type { HeaderView } from '../protocol/viewer/header.ts';
import type { LayerInfo } from '../protocol/viewer/layers.ts';
import type { OpenedImage, Reading } from '../protocol/viewer/page.ts';
import type { PlanePiece, PlaneRequest, ValueRange } from '../protocol/viewer/planes.ts';

/** The slice with the most errors. */
export interface LargestError {
  /** An error in its middle. */
  readonly place: Place;
  /** Voxels of the slice in which the two differ. */
  readonly errors: number;
}

/** What the thread that reads an image can be asked for, by name: [what it is given, what it answers]. */
export interface ImageTasks {
  /** Opens a file or a folder; the answer comes when its header has been read. Opened again, another volume takes its place, without layers. `cache`: a folder for coarse copies. */
  open: [
    { readonly path: string; readonly volume?: number | undefined; readonly cache?: string | undefined },
    OpenedImage,
  ];
  plane: [PlaneRequest, PlanePiece];
  /** Answers when the middle of the image has been read, or all that can be. */
  range: [null, ValueRange];
  /** Paths of label maps that belong to the image, by their names. */
  findOverlays: [null, readonly string[]];
  /** Whether the image is a label map itself: then it is layer 0. Answers at the end of reading. */
  ownLabels: [null, LayerInfo | undefined];
  /** What the header says; `revealed`: also what may name a patient. */
  header: [{ readonly revealed: boolean }, HeaderView];
  /** Reads another image, which is drawn over the one that is open. `added`: because the user asked for it. */
  addLayer: [
    {
      readonly path: string;
      readonly added: boolean;
      readonly title?: string | undefined;
      /** Its numbers are values, even if they are few. */
      readonly values?: boolean | undefined;
    },
    LayerInfo,
  ];
  /** Reads a layer again whose file has changed; what is drawn of it changes with the answer. */
  reloadLayer: [{ readonly layer: number }, LayerInfo];
  /** Few voxels of the image (0) or of a layer, as NIfTI. */
  coarseNifti: [{ readonly layer: number }, Uint8Array];
  /** Where a prediction differs most from a reference; both are layers. undefined: nowhere. */
  largestError: [{ readonly reference: number; readonly prediction: number }, LargestError | undefined];
  /** Bytes that the voxels of the image and of its layers take in memory. */
  bytes: [null, number];
  /** Forgets a layer, with the memory that it takes. */
  removeLayer: [{ readonly layer: number }, null];
}
export type ImageTask = keyof ImageTasks;

/** To the thread. */
export type ThreadRequest = {
  [T in ImageTask]: { readonly id: number; readonly task: T; readonly given: ImageTasks[T][0] };
}[ImageTask];

/** From the thread: an answer, or news without a request. */
export type ThreadMessage =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorData }
  | { readonly reading: Reading };
