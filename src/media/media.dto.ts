/** An uploaded file. */
export class UploadedMediaDto {
  /**
   * Use it in `attachments[].media_id` of a message.
   * @example "md_5b1f0c9a7d2e4f61"
   */
  media_id!: string;

  /**
   * Detected from the content.
   * @example "image/png"
   */
  mime_type!: string;

  /** @example 48213 */
  size_bytes!: number;
}
