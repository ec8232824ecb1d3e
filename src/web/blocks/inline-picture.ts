/** The start of a data URL of a picture that the page shows. */
export const INLINE_PICTURE = /^data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml);base64,/i;
