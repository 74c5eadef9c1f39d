import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { UnimissError } from '../errors.ts';
import { configJsonSchema, type PretrainConfig, resolveConfig } from './index.ts';
import { checkConfig, parseConfig } from './parseConfig.ts';
import { type PretrainGiven, pretrainKind } from './pretrain/index.ts';
import { presets, strides } from './pretrain/presets.ts';
import { pretrainSchema } from './pretrain/schema.ts';

const images = '"data": { "paths": "images" }';
const where = { baseDir: '/project', home: '/home/me' };

/** The message of the error that a text causes. */
function messageOfText(text: string): string {
  try {
    parseConfig(text, 'a.unimiss.jsonc');
  } catch (error) {
    expect(error).toBeInstanceOf(UnimissError);
    expect((error as UnimissError).code).toBe('config');
    return (error as UnimissError).message;
  }
  throw new Error(`accepted: ${text}`);
}

describe('a configuration file', () => {
  it('may hold comments, trailing commas and a byte order mark', () => {
    const config = parseConfig<PretrainGiven>(
      `\uFEFF// mine\n{ ${images}, /* short */ "train": { "epochs": 3, }, }`,
      'a',
    );
    expect(config.train.epochs).toBe(3);
    expect(config.data.paths).toBe('images');
  });

  it.each([
    ['learningRate', 'Did you mean "train.lr"?'],
    ['learning_rate', 'Did you mean "train.lr"?'],
    ['weight_decay', 'Did you mean "weightDecay"?'],
    ['batchSize', 'Did you mean "train.batch"?'],
    ['num_workers', 'Did you mean "data.workers"?'],
    ['optimizer', 'The optimiser of pre-training is AdamW. Remove the key.'],
    ['outDir', 'Choose the folder of runs with --runs or UNIMISS_RUNS. Remove the key.'],
    ['epcohs', 'Did you mean "epochs"?'],
  ])('knows what other programs call %s', (key, remedy) => {
    expect(checkConfig(`{ ${images}, "train": { "${key}": 3 } }`).problems).toMatchObject([
      { message: `unknown key "${key}"`, remedy },
    ]);
  });

  it('has the defaults of the paper', () => {
    const { train, model } = parseConfig<PretrainGiven>(`{ ${images} }`, 'a');
    expect(train).toMatchObject({ epochs: 200, interval: 2, lr: 8e-4, finalLr: 1e-6, warmupEpochs: 10 });
    expect(train).toMatchObject({ weightDecay: [0.04, 0.4], momentum: [0.996, 1], clipGradient: 0.3 });
    expect(train).toMatchObject({ studentTemperature: 0.1, freezeLastLayerEpochs: 1, centerMomentum: 0.9 });
    expect(train.teacherTemperature).toEqual({ value: 0.04, start: null, warmupEpochs: 0 });
    expect(model).toMatchObject({ preset: 'tiny', dropPath: 0 });
  });

  it.each([
    [
      'misspelled key',
      `{ ${images},\n  "train": { "epoch": 3 } }`,
      'a.unimiss.jsonc:2:14: train.epoch: unknown key "epoch"',
      'Did you mean "epochs"?',
    ],
    [
      'key of another part',
      `{ ${images}, "epochs": 3 }`,
      'epochs: unknown key "epochs"',
      'Did you mean "train.epochs"?',
    ],
    [
      'word that means another value',
      `{ ${images}, "engine": { "device": "gpu" } }`,
      'engine.device: "gpu" is not one of "cpu", "cuda", "pjrt:cpu"',
      'Did you mean "cuda"?',
    ],
    [
      'word of another program for a value',
      `{ ${images}, "engine": { "device": "mps" } }`,
      'engine.device: "mps" is not one of "cpu", "cuda"',
      'Did you mean "pjrt:metal"?',
    ],
    [
      'foreign key',
      `{ ${images}, "views": { "zzzzzzzzzzz": 3 } }`,
      'unknown key "zzzzzzzzzzz"',
      'Valid here: area2D, crop3D, parent3D, pad3D, volumeDraws.',
    ],
    [
      'enum',
      `{ ${images},\n\n "model": { "preset": "tinny" } }`,
      ':3:23: model.preset: "tinny" is not one of "nano", "tiny", "small"',
      'Did you mean "tiny"?',
    ],
    [
      'enum of another type',
      `{ ${images}, "engine": { "device": 1 } }`,
      'engine.device: 1 is not one of "cpu", "cuda", "pjrt:cpu"',
      '',
    ],
    [
      'too small',
      `{ ${images}, "train": { "epochs": 0 } }`,
      'train.epochs: 0 is too small: it must be at least 1',
      'The closest valid value is 1.',
    ],
    [
      'too large',
      `{ ${images}, "data2": 1, "train": { "seed": 1e12 } }`,
      'train.seed: 1e12 is too large',
      'unknown key "data2"',
    ],
    ['open bound', `{ ${images}, "train": { "lr": 0 } }`, 'train.lr: 0 is too small: it must be above 0', ''],
    [
      'fraction',
      `{ ${images}, "train": { "interval": 2.6 } }`,
      'train.interval: 2.6 is not a whole number',
      'The closest is 3.',
    ],
    ['text for a number', `{ ${images}, "train": { "epochs": "3" } }`, 'train.epochs: "3" is not a number', ''],
    ['infinite', `{ ${images}, "train": { "lr": 1e999 } }`, 'train.lr', 'is not a number'],
    [
      'tuple',
      `{ ${images}, "model": { "size2D": [64] } }`,
      'model.size2D: needs 2 values, got 1',
      'Write [height, width].',
    ],
    ['union', '{ "data": { "paths": 7 } }', 'data.paths: 7 is not valid here', 'Write a path, or a list of paths'],
    [
      'name that leaves its folder',
      `{ ${images}, "name": "../x" }`,
      'name: "../x" is not a valid run name',
      'Use at most 64 letters',
    ],
    ['no data', '{}', 'data: is missing', '"paths"'],
    ['no images', '{ "data": {} }', 'data: names no images', '"paths"'],
    ['given twice', `{ ${images}, "name": "a", "name": "b" }`, ':1:47: name: "name" is given twice', 'Keep one'],
    ['__proto__', `{ ${images}, "__proto__": { "name": "b" } }`, 'unknown key "__proto__"', ''],
    ['syntax', `{ ${images},\n "name" "b" }`, ':2:9: not valid JSON: colon expected', 'double quotes'],
    ['empty', ' \n', 'the file is empty', 'paths'],
    ['two documents', `{ ${images} } { }`, 'not valid JSON: end of file expected', ''],
    ['a list', '[]', '[] is not an object in braces', ''],
    [
      'size',
      `{ ${images}, "model": { "size2D": [225, 40] } }`,
      'model.size2D: [225, 40] does not fit',
      'The closest size that fits is [224, 64].',
    ],
    [
      'size 3D',
      `{ ${images}, "model": { "size3D": [17, 96, 100] } }`,
      'model.size3D',
      'The closest size that fits is [16, 96, 96].',
    ],
    ['paths and manifest', '{ "data": { "paths": "a", "manifest": "b" } }', 'both name images', 'Remove one of them.'],
    [
      'GPU of the CPU',
      `{ ${images}, "engine": { "gpu": 1 } }`,
      'engine.gpu: selects GPU 1, but engine.device is "cpu"',
      'Set engine.device to "cuda"',
    ],
    [
      'GPU that cannot be chosen',
      `{ ${images}, "engine": { "device": "pjrt:rocm", "gpu": 3 } }`,
      'engine.gpu: selects GPU 3, but with engine.device "pjrt:rocm" a run takes the first GPU',
      'Remove engine.gpu.',
    ],
    [
      'CPU for a GPU that is not looked for',
      `{ ${images}, "engine": { "device": "pjrt:oneapi", "allowCpu": true } }`,
      'engine.allowCpu: is true, but UniMiSS looks for no GPU',
      'set engine.device to "cpu"',
    ],
    [
      'eager on XLA',
      `{ ${images}, "engine": { "device": "pjrt:cpu", "executor": "eager" } }`,
      'engine.executor: is "eager", but engine.device is "pjrt:cpu"',
      'Remove engine.executor',
    ],
    [
      '3D never reached',
      '{ "data": { "paths": "a", "modalities": "both" }, "train": { "epochs": 2 } }',
      'never reaches 3D',
      'Set train.interval to at most 1',
    ],
    [
      'rising rate',
      `{ ${images}, "train": { "finalLr": 0.1 } }`,
      'above the peak learning rate',
      'Lower train.finalLr',
    ],
    [
      'a range backwards',
      `{ ${images}, "views": { "area2D": [0.9, 0.3] } }`,
      'views.area2D: [0.9, 0.3] is not a range',
      'Write [0.3, 0.9].',
    ],
    [
      'crops above the parent',
      `{ ${images}, "views": { "crop3D": [1, 2] } }`,
      'views.crop3D: crops of up to 2 do not fit into parent crops of up to 1.8',
      'raise views.parent3D',
    ],
    [
      'parents above the padding',
      `{ ${images}, "views": { "pad3D": 1.5 } }`,
      'views.pad3D: parent crops of up to 1.8 sizes of a view do not fit into volumes padded to 1.5',
      'Set views.pad3D to at least 1.8.',
    ],
    [
      'half a warm-up',
      `{ ${images}, "train": { "teacherTemperature": { "start": 0.07 } } }`,
      'needs both',
      'Add `warmupEpochs`',
    ],
    [
      'a rate of one phase',
      `{ ${images}, "train": { "lr": { "2D": 0.1, "3D": 2 } } }`,
      'train.lr.3D: 2 is too large',
      'The closest valid value is 1.',
    ],
    [
      'KoLeo in parts',
      `{ ${images}, "train": { "koleo": 0.1, "accumulate": 2 } }`,
      'train.koleo: KoLeo spreads the images of a whole batch',
      'Set train.accumulate to 1',
    ],
    [
      'slices that do not divide',
      `{ ${images}, "train": { "sliceStride": 3 } }`,
      'train.sliceStride: a stride of 3 does not divide 16 slices',
      'Choose a divisor of 16.',
    ],
  ])('refuses with place and remedy: %s', (_, text, what, remedy) => {
    const message = messageOfText(text);
    expect(message).toContain('a.unimiss.jsonc:');
    expect(message).toContain(what);
    expect(message).toContain(remedy);
  });

  it.each(['tpu', 'npu', 'hpu'])(
    'suggests nothing for "%s", which looks like "cpu" and means another thing',
    (device) => {
      const { problems } = checkConfig(`{ ${images}, "engine": { "device": "${device}" } }`);
      expect(problems.map(({ remedy }) => remedy)).toEqual([undefined]);
    },
  );

  it('names everything that is wrong, not only the first', () => {
    const { problems } = checkConfig(`{ ${images}, "train": { "epochs": 0, "lrr": 1 }, "model": { "preset": "big" } }`);
    expect(problems.map((p) => p.field).sort()).toEqual(['model.preset', 'train.epochs', 'train.lrr']);
  });

  it('gives offset and length of the value for an editor', () => {
    const text = `{ ${images}, "model": { "preset": "tinny" } }`;
    const [problem] = checkConfig(text).problems;
    expect(text.slice(problem!.offset, problem!.offset + problem!.length)).toBe('"tinny"');
  });

  it('is read or gives a UnimissError, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { config, problems } = checkConfig(text);
        expect(config === undefined).toBe(problems.length > 0);
        for (const p of problems) expect(p.line >= 1 && p.column >= 1).toBe(true);
      }),
    );
  });
});

/** Configurations of many kinds that are valid. */
const configs = fc
  .record({
    preset: fc.constantFrom('nano', 'tiny', 'small'),
    epochs: fc.integer({ min: 1, max: 1000 }),
    paths: fc.oneof(
      fc.constantFrom('a', '/b/c', '~', '~/d', '../e'),
      fc.array(fc.constantFrom('x', '/y'), { minLength: 1 }),
    ),
    cache: fc.constantFrom(false as const, '~/cache', 'c', undefined),
    slices: fc.integer({ min: 1, max: 4 }),
    side: fc.integer({ min: 2, max: 8 }),
    outDim: fc.option(fc.integer({ min: 1, max: 65536 }), { nil: undefined }),
    gpu: fc.option(fc.integer({ min: 0, max: 7 })),
    weights: fc.option(fc.constantFrom('w.safetensors', '/w')),
  })
  .map(({ preset, epochs, paths, cache, slices, side, outDim, gpu, weights }) => ({
    data: { paths, cache },
    model: { preset, size3D: [slices * 16, side * 32, side * 32], head: outDim === undefined ? {} : { outDim } },
    train: { epochs, initialWeights: weights },
    engine: { device: gpu === null ? 'cpu' : 'cuda', gpu },
  }));

describe('resolving', () => {
  it('expands presets and makes paths absolute', () => {
    const config = parseConfig(
      '{ "data": { "paths": ["ct", "~/xray"], "cache": "/c" }, "model": { "preset": "nano", "head": { "outDim": 7 } } }',
      'a',
    );
    const resolved = resolveConfig<PretrainConfig>(config, where);
    expect(resolved.data.paths).toEqual(['/project/ct', '/home/me/xray']);
    expect(resolved.data.cache).toBe('/c');
    expect(resolved.model).toMatchObject({ size2D: [64, 64], size3D: [16, 64, 64] });
    expect(resolved.model.head).toEqual({ hidden: 256, bottleneck: 64, outDim: 7 });
    expect(resolved.engine.gpu).toBeNull();
  });

  it('keeps resampled volumes in our cache, which one variable moves, unless another folder is named', () => {
    const cacheOf = (cache: string) =>
      resolveConfig(parseConfig(`{ "data": { "paths": "ct"${cache} } }`, 'a'), where).data.cache;
    expect(resolveConfig(parseConfig(`{ ${images} }`, 'a'), { ...where, cache: '/mine' }).data.cache).toBe(
      '/mine/volumes',
    );
    vi.stubEnv('UNIMISS_CACHE', '/big');
    expect(cacheOf('')).toBe('/big/volumes');
    expect(cacheOf(', "cache": "~/c"')).toBe('/home/me/c');
    expect(cacheOf(', "cache": false')).toBe(false);
    vi.unstubAllEnvs();
  });

  it('gives a valid configuration that resolves to itself, and leaves its input alone', () => {
    fc.assert(
      fc.property(configs, (input) => {
        const config = parseConfig(JSON.stringify(input), 'a');
        const before = structuredClone(config);
        const resolved = resolveConfig<PretrainConfig>(config, where);
        expect(config).toEqual(before);
        const again = parseConfig(JSON.stringify(resolved), 'b');
        expect(again).toEqual(resolved);
        expect(resolveConfig(again, { baseDir: '/elsewhere', home: '/other' })).toEqual(resolved);
        for (const path of resolved.data.paths!) expect(path.startsWith('/')).toBe(true);
      }),
    );
  });

  it('leaves the tables of presets unshared', () => {
    const resolved = resolveConfig<PretrainConfig>(parseConfig(`{ ${images} }`, 'a'), where);
    resolved.model.size2D[0] = 1;
    expect(presets.tiny.size2D[0]).toBe(224);
  });

  it('the sizes of every preset fit the strides', () => {
    for (const preset of Object.values(presets)) {
      expect(preset.size2D.every((side, i) => side % strides['2D'][i]! === 0)).toBe(true);
      expect(preset.size3D.every((side, i) => side % strides['3D'][i]! === 0)).toBe(true);
    }
  });
});

describe('the JSON Schema', () => {
  const schema = configJsonSchema([pretrainKind]);

  it('is draft 7, refuses unknown keys and describes every field', () => {
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    const visit = (node: Record<string, unknown>, path: string): void => {
      if (path !== '') expect(node.description, path).toMatch(/\.$/);
      if (node.type === 'object') expect(node.additionalProperties, path).toBe(false);
      for (const [key, child] of Object.entries((node.properties ?? {}) as Record<string, Record<string, unknown>>))
        visit(child, `${path}.${key}`);
    };
    visit(schema, '');
  });

  it('read back as a schema, agrees with the one it was made from', () => {
    const back = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    fc.assert(
      fc.property(configs, fc.constantFrom('', 'preset', 'key', 'epochs'), (input, fault) => {
        const value = structuredClone(input) as Record<string, Record<string, unknown>>;
        if (fault === 'preset') value.model!.preset = 'huge';
        if (fault === 'key') value.train!.epohcs = 1;
        if (fault === 'epochs') value.train!.epochs = 0;
        expect(back.safeParse(value).success).toBe(pretrainSchema.safeParse(value).success);
        expect(back.safeParse(value).success).toBe(fault === '');
      }),
    );
  });

  it('gives the defaults that the schema applies', () => {
    const applied = pretrainSchema.parse({ data: { paths: 'a' } }) as unknown as Record<string, unknown>;
    const visit = (node: Record<string, unknown>, value: unknown, path: string): void => {
      const properties = node.properties as Record<string, Record<string, unknown>> | undefined;
      if (properties === undefined && 'default' in node) expect(value, path).toEqual(node.default);
      for (const [key, child] of Object.entries(properties ?? {}))
        visit(child, (value as Record<string, unknown> | undefined)?.[key], `${path}.${key}`);
    };
    visit(schema, applied, '');
    const config: PretrainGiven = applied as never;
    expect(config.train.momentum).toEqual([0.996, 1]);
  });
});

describe('a field of an earlier version', () => {
  const parse = (engine: unknown) => {
    const notices: string[] = [];
    const config = parseConfig(JSON.stringify({ data: { paths: 'ct' }, engine }), 'a', {
      notice: (text) => notices.push(text),
    });
    return { engine: config.engine, notices };
  };

  it('that decided which native code is loaded is ignored with a notice, silently where it was null', () => {
    const named = parse({ library: '/tmp/evil' });
    expect(named.engine).not.toHaveProperty('library');
    expect(named.notices).toEqual([expect.stringMatching(/^a: `engine\.library` is ignored.*UNIMISS_TENSORFLOW/)]);
    expect(parse({ library: null })).toEqual({ engine: named.engine, notices: [] });
  });
});
