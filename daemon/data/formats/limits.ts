/**
 * Limits for the claims of a file, checked before any allocation. Generous for medical images (a CT of 1,024 slices of 512², an
 * X-ray of 5,000 × 6,000), far below what would exhaust a machine.
 */
export const limits = {
  /** Voxels of a volume: 2^28 (1 GiB as float32). */
  voxels: 2 ** 28,
  /** Voxels along one axis. */
  axis: 2 ** 15,
  /** Pixels of a 2D image: 2^25. */
  pixels: 2 ** 25,
  /** Bytes of a PNG or JPEG file: 512 MiB, more than the pixels need even uncompressed. */
  imageFileBytes: 2 ** 29,
} as const;

/** DEFLATE (RFC 1951) cannot expand a byte to more than this many: 258 bytes in 2 bits. */
export const maxInflation = 1032;
