/** What a DICOM file for tests says; what is left out is sound. Written independently of the product's readers. */
export interface DicomFixture {
  readonly transferSyntax?: string;
  readonly sopClass?: string;
  readonly instance?: string;
  readonly series?: string;
  readonly modality?: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly frames?: number;
  readonly samples?: number;
  readonly photometric?: string;
  readonly bits?: 8 | 16;
  /** Bits that are used; default: all. */
  readonly stored?: number;
  readonly signed?: boolean;
  readonly slope?: number;
  readonly intercept?: number;
  readonly position?: readonly number[] | undefined;
  readonly orientation?: readonly number[] | undefined;
  readonly pixelSpacing?: readonly number[];
  readonly sliceSpacing?: number;
  readonly number?: number;
  /** Positions of frames: makes an enhanced multi-frame file. */
  readonly framePositions?: readonly (readonly number[])[];
  readonly values?: readonly number[];
  /** Bytes behind the pixels. */
  readonly extra?: number;
}

type Element = [tag: number, vr: string, value: string | number | Buffer | Element[][]];

/** An explicit little endian file with preamble. */
export function dicomFixture(spec: DicomFixture = {}): Buffer {
  const { rows = 3, columns = 4, frames = 1, samples = 1, bits = 16, framePositions } = spec;
  const { transferSyntax = '1.2.840.10008.1.2.1', instance = `1.2.3.${Math.abs(spec.number ?? 1)}` } = spec;
  const { sopClass = framePositions ? '1.2.840.10008.5.1.4.1.1.2.1' : '1.2.840.10008.5.1.4.1.1.2' } = spec;
  const position = 'position' in spec ? spec.position : [10, 20, 30];
  const orientation = 'orientation' in spec ? spec.orientation : [1, 0, 0, 0, 1, 0];
  const { values = Array.from({ length: rows * columns * frames * samples }, (_, i) => i) } = spec;
  const pixels = Buffer.alloc((values.length * bits) / 8 + (((values.length * bits) / 8) % 2));
  values.forEach((value, i) => {
    if (bits === 8) pixels.writeUInt8(value, i);
    else if (spec.signed) pixels.writeInt16LE(value, 2 * i);
    else pixels.writeUInt16LE(value, 2 * i);
  });
  const list = (numbers: readonly number[]) => numbers.map((n) => +n.toFixed(6)).join('\\');
  const plane: Element[] = [
    ...(orientation && !framePositions ? ([[0x00200037, 'DS', list(orientation)]] as Element[]) : []),
  ];
  const meta = elements([
    [0x00020001, 'OB', Buffer.from([0, 1])],
    [0x00020002, 'UI', sopClass],
    [0x00020003, 'UI', instance],
    [0x00020010, 'UI', transferSyntax],
    [0x00020012, 'UI', '1.2.3'],
  ]);
  const enhanced: Element[] = framePositions
    ? [
        [
          0x52009229,
          'SQ',
          [
            [
              [0x00209116, 'SQ', [[[0x00200037, 'DS', list(orientation ?? [])]]]],
              [0x00289110, 'SQ', [[[0x00280030, 'DS', list(spec.pixelSpacing ?? [2, 3])]]]],
              [
                0x00289145,
                'SQ',
                [
                  [
                    [0x00281052, 'DS', String(spec.intercept ?? 0)],
                    [0x00281053, 'DS', String(spec.slope ?? 1)],
                    [0x00281054, 'LO', 'HU'],
                  ],
                ],
              ],
            ],
          ],
        ],
        [0x52009230, 'SQ', framePositions.map((p): Element[] => [[0x00209113, 'SQ', [[[0x00200032, 'DS', list(p)]]]]])],
      ]
    : [];
  const body = elements([
    [0x00080008, 'CS', 'ORIGINAL\\PRIMARY'],
    [0x00080016, 'UI', sopClass],
    [0x00080018, 'UI', instance],
    [0x00080020, 'DA', '20200101'],
    [0x00080060, 'CS', spec.modality ?? 'CT'],
    [0x00100010, 'PN', 'Nobody'],
    [0x00100020, 'LO', '1'],
    ...(spec.sliceSpacing === undefined ? [] : ([[0x00180088, 'DS', String(spec.sliceSpacing)]] as Element[])),
    [0x0020000d, 'UI', '1.2.9'],
    [0x0020000e, 'UI', spec.series ?? '1.2.8'],
    [0x00200013, 'IS', String(spec.number ?? 1)],
    ...(position && !framePositions ? ([[0x00200032, 'DS', list(position)]] as Element[]) : []),
    ...plane,
    [0x00200052, 'UI', '1.2.7'],
    [0x00280002, 'US', samples],
    [0x00280004, 'CS', spec.photometric ?? (samples === 3 ? 'RGB' : 'MONOCHROME2')],
    ...(samples === 3 ? ([[0x00280006, 'US', 0]] as Element[]) : []),
    ...(frames > 1 ? ([[0x00280008, 'IS', String(frames)]] as Element[]) : []),
    [0x00280010, 'US', rows],
    [0x00280011, 'US', columns],
    ...(framePositions ? [] : ([[0x00280030, 'DS', list(spec.pixelSpacing ?? [2, 3])]] as Element[])),
    [0x00280100, 'US', bits],
    [0x00280101, 'US', spec.stored ?? bits],
    [0x00280102, 'US', (spec.stored ?? bits) - 1],
    [0x00280103, 'US', spec.signed ? 1 : 0],
    ...(framePositions
      ? []
      : ([
          [0x00281052, 'DS', String(spec.intercept ?? 0)],
          [0x00281053, 'DS', String(spec.slope ?? 1)],
        ] as Element[])),
    ...enhanced,
    [0x7fe00010, 'OW', pixels],
  ]);
  const length = elements([[0x00020000, 'UL', meta.length]]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, body, Buffer.alloc(spec.extra ?? 0)]);
}

function elements(list: readonly Element[]): Buffer {
  return Buffer.concat(list.map(([tag, vr, value]) => element(tag, vr, value)));
}

function element(tag: number, vr: string, value: Element[2]): Buffer {
  let bytes: Buffer;
  if (Buffer.isBuffer(value)) bytes = value;
  else if (Array.isArray(value)) bytes = Buffer.concat(value.map((item) => wrapped(elements(item))));
  else if (typeof value === 'string')
    bytes = Buffer.from(value.length % 2 === 0 ? value : `${value}${vr === 'UI' ? '\0' : ' '}`, 'latin1');
  else {
    bytes = Buffer.alloc(vr === 'UL' ? 4 : 2);
    if (vr === 'UL') bytes.writeUInt32LE(value);
    else bytes.writeUInt16LE(value);
  }
  const long = ['OB', 'OW', 'SQ', 'UN'].includes(vr);
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(bytes.length, 8);
  else head.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([head, bytes]);
}

function wrapped(item: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt16LE(0xe000, 2);
  head.writeUInt32LE(item.length, 4);
  return Buffer.concat([head, item]);
}
