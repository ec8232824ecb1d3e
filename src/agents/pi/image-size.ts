/** Width and height in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** JPEG segments that hold the size (SOF0 to SOF15, without the tables DHT, JPG and DAC). */
const isFrameHeader = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Reads the size of a PNG, JPEG, GIF or WebP from its head; undefined when it does not tell. */
export function readImageSize(bytes: Uint8Array): ImageSize | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.length < 30) return undefined;
  const magic = data.toString('latin1', 0, 4);
  if (magic === '\u0089PNG') return { width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
  if (magic === 'GIF8') return { width: data.readUInt16LE(6), height: data.readUInt16LE(8) };
  if (magic === 'RIFF') return readWebP(data);
  return data.readUInt16BE(0) === 0xffd8 ? readJpeg(data) : undefined;
}

function readWebP(data: Buffer): ImageSize | undefined {
  switch (data.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { width: data.readUIntLE(24, 3) + 1, height: data.readUIntLE(27, 3) + 1 };
    case 'VP8 ':
      return { width: data.readUInt16LE(26) & 0x3fff, height: data.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = data.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    default:
      return undefined;
  }
}

function readJpeg(data: Buffer): ImageSize | undefined {
  for (let at = 2; at + 9 <= data.length && data[at] === 0xff;) {
    const marker = data[at + 1] ?? 0;
    if (isFrameHeader(marker)) return { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) };
    // A marker may be preceded by fill bytes.
    at += marker === 0xff ? 1 : 2 + data.readUInt16BE(at + 2);
  }
  return undefined;
}
