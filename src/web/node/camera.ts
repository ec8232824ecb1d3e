import { CommandError } from '../../client/node/browser.js';

const QUALITY = 0.85;

/** The longest side of a picture, in pixels. */
const MAX_SIDE = 1_920;

/** Takes one picture. The camera is off again when this settles. @throws CommandError */
export async function snap(facing: 'user' | 'environment', signal: AbortSignal): Promise<Blob> {
  const video = { facingMode: facing, width: { ideal: MAX_SIDE } };
  const stream = await navigator.mediaDevices.getUserMedia({ video }).catch((error: unknown) => {
    const { name, message } = error as DOMException;
    const isDenied = name === 'NotAllowedError' || name === 'SecurityError';
    throw new CommandError(isDenied ? 'PERMISSION_DENIED' : 'NOT_AVAILABLE', `the camera is not available: ${message}`);
  });
  try {
    signal.throwIfAborted();
    return await draw(stream);
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

/** Draws the first picture that has been shown. */
async function draw(stream: MediaStream): Promise<Blob> {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  // A hidden page gets black pictures, or none.
  if (document.visibilityState === 'hidden') throw new CommandError('NOT_IN_FRONT', 'the page is not in front');
  const scale = Math.min(1, MAX_SIDE / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  if (!picture) throw new CommandError('NOT_AVAILABLE', 'the camera gave no picture');
  return picture;
}
