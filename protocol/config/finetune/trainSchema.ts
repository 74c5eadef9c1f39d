import { z } from 'zod';
import { share } from '../shared.ts';

/** Numbers of an epoch that may choose the best checkpoint and stop the run early. */
export const epochMetrics = ['dice', 'auc', 'accuracy', 'validationLoss'] as const;
export type EpochMetric = (typeof epochMetrics)[number];

const optional = 'Default: by problem.';

export const train = z
  .strictObject({
    epochs: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Total number of epochs. Default: 100, or at most 10000 with `hours`.'),
    hours: z
      .number()
      .positive()
      .max(10_000)
      .nullable()
      .default(null)
      .describe(
        'Stop at the end of the epoch in which the training has taken this many hours. The learning rate follows the time. null: no limit.',
      ),
    stepsPerEpoch: z
      .int()
      .min(1)
      .nullable()
      .optional()
      .describe(
        'Optimiser steps per epoch. null: as many as the training cases make. Default: 250 for segmentation, null for classification.',
      ),
    batch: z
      .int()
      .min(1)
      .max(65536)
      .optional()
      .describe('Images per step. Default: 2 for 3D segmentation, otherwise 8.'),
    optimizer: z
      .enum(['adamW', 'sgd'])
      .default('adamW')
      .describe('`adamW`, or `sgd` with Nesterov momentum 0.99 as in nnU-Net.')
      .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' }),
    lr: z
      .number()
      .positive()
      .max(1)
      .optional()
      .describe(
        'Learning rate after the warm-up. Default: 1e-4 for segmentation, 5e-5 for classification; 0.01 with `sgd`.',
      ),
    schedule: z
      .enum(['poly', 'cosine', 'constant'])
      .default('poly')
      .describe('How the learning rate falls. `poly`: as (1 − progress)^0.9.')
      .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' }),
    warmupEpochs: z.number().min(0).default(0).describe('Epochs in which the learning rate rises linearly from 0.'),
    weightDecay: z
      .number()
      .min(0)
      .max(10)
      .optional()
      .describe(
        'Weight decay. Biases and norms are not decayed. Default: 5e-3 for classification, otherwise 5e-4; 3e-5 with `sgd`.',
      ),
    clipGradient: z
      .number()
      .positive()
      .nullable()
      .default(12)
      .describe('Maximum norm of the whole gradient, as in nnU-Net. null: no clipping.')
      .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' }),
    layerDecay: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe(
        'Factor of the learning rate from each layer of the encoder to the one below it. 1: the same rate everywhere. 0.75 is usual.',
      )
      .meta({ source: 'BEiT (Bao et al. 2021), fine-tuning' }),
    freeze: z
      .enum(['none', 'encoder', 'all'])
      .default('none')
      .describe('`encoder`: do not train the encoder. `all`: train only the last linear layer (linear probe).'),
    headFirstEpochs: z
      .int()
      .min(0)
      .default(0)
      .describe('Number of epochs at the start that train only what is not pre-trained: decoder and head.'),
    classWeights: z
      .union([z.literal('balanced'), z.array(z.number().positive()).min(1)])
      .nullable()
      .default(null)
      .describe(
        "Not for overlapping labels of voxels: weights of the classes in the cross-entropy, in the data set's order (background first). `balanced`: inverse to their frequency in the training cases. null: all equal.",
      ),
    labelSmoothing: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('Classification with one class per image: label smoothing of the cross-entropy.')
      .meta({ source: 'Szegedy et al. 2016, section 7' }),
    deepSupervision: z
      .boolean()
      .default(true)
      .describe('Segmentation: also train the outputs at lower resolutions, with weights ½, ¼ and ⅛.')
      .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' }),
    foreground: share
      .default(1 / 3)
      .describe('Segmentation: share of a batch whose patches are centred on a voxel of a class other than background.')
      .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' }),
    validation: z
      .strictObject({
        everyEpochs: z.int().min(1).default(1).describe('Validate every this many epochs, and at the end.'),
        cases: z
          .enum(['windows', 'whole'])
          .default('windows')
          .describe(
            'Segmentation: what is predicted. `windows`: one central window per case, quickly. `whole`: windows that cover the whole case.',
          ),
        largestComponent: z
          .boolean()
          .default(true)
          .describe(
            'Segmentation: when the run ends, predict the cases for validation with the best checkpoint and find the classes whose Dice rises if only their largest component stays. Predictions then keep only that. Not with `data.fold` "all".',
          ),
      })
      .prefault({})
      .describe('Validation.'),
    earlyStopping: z
      .strictObject({
        metric: z.enum(epochMetrics).optional().describe(`Number to watch. ${optional}`),
        patience: z.int().min(1).default(30).describe('Validations without improvement before the run stops.'),
      })
      .nullable()
      .optional()
      .describe(
        'Stop when the validation does not improve. null: never. Default: classification after 30 on AUC, segmentation never.',
      ),
    best: z
      .enum(epochMetrics)
      .optional()
      .describe(
        'Number by which the best checkpoint is chosen. Default: `dice` for segmentation, `auc` for classification.',
      ),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe(
        'Seed for fresh weights, order, patches, augmentation and drop-path. The same seed gives the same run.',
      ),
  })
  .describe('The training.');
