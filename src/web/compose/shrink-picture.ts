/** A picture with a longer edge (in pixels) or more bytes is made smaller before it is sent. */
const MAX_EDGE = 2_048;
const MAX_BYTES = 2_000_000;

/** The quality of the smaller picture, from 0 to 1. */
const QUALITY = 0.86;

/** Types that can be drawn again without a visible loss. A GIF is not among them, because it may move. */
const DRAWABLE = /^image\/(?:png|jpeg|webp|avif|bmp)$/;

/**
 * Makes a picture small enough to be sent and for a model to read: at most 2,048 pixels a side, as JPEG, or as WebP where
 * it may be transparent. Returns any other file, and one that cannot be drawn, as it is.
 */
export async function shrinkPicture(file: File): Promise<File> {
  if (!DRAWABLE.test(file.type)) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const factor = Math.min(1, MAX_EDGE / Math.max(bitmap.width, bitmap.height));
    if (factor === 1 && file.size <= MAX_BYTES) {
      bitmap.close();
      return file;
    }
    const small = await draw(bitmap, factor, file.type === 'image/jpeg' ? 'image/jpeg' : 'image/webp');
    return small.size < file.size ? new File([small], rename(file.name, small.type), { type: small.type }) : file;
  } catch {
    // It is not a picture, whatever its name says, or it is too large to be drawn. The gateway decides about it.
    return file;
  }
}

function draw(bitmap: ImageBitmap, factor: number, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * factor), Math.round(bitmap.height * factor));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.convertToBlob({ type, quality: QUALITY });
}

function rename(name: string, type: string): string {
  return `${name.replace(/\.[^.]*$/, '')}.${type === 'image/jpeg' ? 'jpg' : (type.split('/')[1] ?? 'png')}`;
}
