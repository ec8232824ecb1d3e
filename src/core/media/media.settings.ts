import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** The default types, none of which a browser would execute. */
const MEDIA_TYPES = [
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/mp4'],
  ...['video/mp4', 'video/webm', 'application/pdf', 'text/plain'],
];

/** Which files may be uploaded, and where they are kept. */
export const mediaSettings = defineSettings({
  'media.folder': Type.Optional(
    Type.String({
      minLength: 1,
      'x-scope': 'config:dangerous',
      description:
        "Folder of uploaded files. Default: `media` beside the store's file, or in `data` where there is none.",
      'x-restart': true,
    }),
  ),
  'media.max_bytes': Type.Integer({
    default: 20_971_520,
    minimum: 1,
    maximum: 1_073_741_824,
    description: 'Largest file that may be uploaded, in bytes.',
  }),
  'media.types': Type.Array(Type.String({ pattern: '^[a-z]+/[a-z0-9.+-]+$' }), {
    default: MEDIA_TYPES,
    'x-scope': 'config:dangerous',
    description: 'Media types that may be uploaded, detected from the content.',
  }),
});
