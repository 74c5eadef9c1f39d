// Times whole pre-training steps on a plugin of PJRT beside PyTorch's, eager and compiled, on the same device and in turns: models, batches
// and precisions. Used by bench.mjs, and by benchAlone.mjs on a machine that has nothing but a pack (packBench.mjs).

/** Dense products of the cards' tensor cores, TFLOP/s, from NVIDIA's data sheets: TensorFloat-32, bfloat16. */
const peaks = [
  [/\bB200\b/, { float32: 1125, bfloat16: 2250 }],
  [/\bH(100|200)\b.*(HBM3|SXM)|\bH200\b|\bGH200\b/, { float32: 494.7, bfloat16: 989.4 }],
  [/\bH100\b.*PCIe/i, { float32: 378, bfloat16: 756 }],
  [/\bH100\b/, { float32: 494.7, bfloat16: 989.4 }],
  [/\bA100\b/, { float32: 156, bfloat16: 312 }],
  [/\bA10\b|\bA10G\b/, { float32: 62.5, bfloat16: 125 }],
  [/\bL40S\b/, { float32: 183, bfloat16: 362 }],
  [/\bL4\b/, { float32: 60, bfloat16: 121 }],
  [/\bRTX 4090\b/, { float32: 82.6, bfloat16: 165.2 }],
];

/** What a card reaches at most, TFLOP/s; undefined for one that is not in the list, and for processors. */
export function peakOf(card, precision) {
  return peaks.find(([name]) => name.test(card))?.[1][precision];
}

export const matrixDefaults = {
  cases: ['tiny-2D', 'tiny-3D', 'small-2D', 'small-3D'],
  batches: [2, 8, 24],
  precisions: ['float32', 'bfloat16'],
  variants: ['eager', 'compiled'],
};

/** What PyTorch calls a plugin's device; its builds for AMD's GPUs say cuda too. */
const torchDevices = { 'pjrt:cpu': 'cpu', 'pjrt:cuda': 'cuda', 'pjrt:rocm': 'cuda' };

/** The command lines of one row: ours, PyTorch's by variant, and with `tensorflow` our step on TensorFlow, which has float32 only. */
export function commandsOf({ name, batch, precision, device, steps, variants, tensorflow = false }) {
  const [arch, phase] = name.split('-');
  const both = ['--arch', arch, '--phase', phase, '--batch', String(batch), '--steps', String(steps)];
  const torchDevice = torchDevices[device];
  if (!torchDevice) throw new Error(`the bench does not time PyTorch beside ${device}`);
  const where = ['--device', torchDevice, ...(torchDevice === 'cpu' ? ['--threads', '2'] : [])];
  const product = precision === 'bfloat16' ? ['--bf16'] : device === 'pjrt:cpu' ? [] : ['--tf32'];
  return {
    ours: [...both, '--device', device, '--precision', precision],
    ...(tensorflow && precision === 'float32' && { tensorflow: [...both, '--device', 'cpu'] }),
    torch: Object.fromEntries(
      variants.map((variant) => [
        variant,
        [...both, '--fused', ...where, ...product, ...(variant === 'compiled' ? ['--compile'] : [])],
      ]),
    ),
  };
}

/**
 * Measures all rows.
 * @param measure runs (side, arguments) with side `ours` or `torch`, and returns the JSON that it printed; throws if it failed
 * @param told receives each measurement as it is there
 * @returns rows with the fastest step and the largest peak of each side; a side that failed in a round is missing with the reason
 */
export function measureMatrix({ cases, batches, precisions, rounds, measure, told, ...given }) {
  const { variants } = given;
  const known = matrixDefaults.cases.join(', ');
  if (cases.length === 0) throw new Error(`no case to measure; --only takes ${known}`);
  const rows = [];
  for (const name of cases)
    for (const batch of batches)
      for (const precision of precisions) {
        const commands = commandsOf({ name, batch, precision, ...given });
        const sides = [
          ['ours', 'ours', commands.ours],
          ...(commands.tensorflow ? [['tensorflow', 'ours', commands.tensorflow]] : []),
          ...variants.map((v) => [v, 'torch', commands.torch[v]]),
        ];
        const runs = Object.fromEntries(sides.map(([side]) => [side, []]));
        const failed = {};
        for (let round = 0; round < rounds; round++)
          for (const [side, program, args] of sides) {
            if (side in failed) continue;
            try {
              const run = measure(program, args);
              runs[side].push(run);
              told({ side, name, round: round + 1, ...run });
            } catch (error) {
              failed[side] = lastLine(error.message);
              told({ side, name, batch, precision, round: round + 1, failed: failed[side] });
            }
          }
        rows.push(rowOf({ name, batch, precision, variants, runs, failed }));
      }
  return rows;
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}

function rowOf({ name, batch, precision, variants, runs, failed }) {
  const best = (side) => {
    if (failed[side] !== undefined || !runs[side]?.length) return undefined;
    const milliseconds = Math.min(...runs[side].map((run) => run.minMs));
    const memory = Math.max(...runs[side].map((run) => run.deviceMiB ?? run.peakMiB));
    return { milliseconds, imagesPerSecond: (1000 * batch) / milliseconds, memory, run: runs[side][0] };
  };
  return {
    name,
    batch,
    precision,
    ours: best('ours'),
    tensorflow: best('tensorflow'),
    torch: variants.map((v) => [v, best(v)]),
    failed,
  };
}

const number = (x, decimals = 0) => (x === undefined ? '–' : x.toFixed(decimals));

/** The rows as a table of Markdown. */
export function matrixTable(rows) {
  const [{ torch }] = rows;
  const withTensorFlow = rows.some(({ tensorflow }) => tensorflow);
  const heads = [...(withTensorFlow ? ['TensorFlow, ms'] : []), ...torch.map(([variant]) => `PyTorch ${variant}, ms`)];
  const lines = rows.map(({ name, batch, precision, ours, tensorflow, torch: others }) => {
    const there = others.flatMap(([, other]) => other ?? []);
    const fastest = Math.min(...there.map((other) => other.milliseconds));
    const smallest = Math.min(...there.map((other) => other.memory));
    const reached = ours?.run.gflop && ours.run.gflop / ours.milliseconds; // GFLOP/ms = TFLOP/s
    const peak = ours && peakOf(ours.run.card ?? '', precision);
    const cells = [
      name.replace('-', ' '),
      batch,
      precision,
      number(ours?.milliseconds, 1),
      number(ours?.imagesPerSecond, 1),
      ...(withTensorFlow ? [number(tensorflow?.milliseconds, 1)] : []),
      ...others.map(([, other]) => number(other?.milliseconds, 1)),
      ours && there.length > 0 ? (fastest / ours.milliseconds).toFixed(2) : '–',
      number(ours?.memory),
      there.length > 0 ? number(smallest) : '–',
      number(reached, 2),
      reached && peak ? `${((100 * reached) / peak).toFixed(1)} %` : '–',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const columns = [
    ...['', 'batch', 'factors', 'ours, ms', 'images/s', ...heads, 'times as fast as PyTorch’s best'],
    ...['ours, MiB', 'PyTorch, MiB', 'TFLOP/s in products', 'of the card’s peak'],
  ];
  return [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...lines].join('\n');
}

/** What failed, a line each. */
export function failures(rows) {
  return rows.flatMap(({ name, batch, precision, failed }) =>
    Object.entries(failed).map(([side, why]) => `${name}, batch ${batch}, ${precision}, ${side}: ${why}`),
  );
}
