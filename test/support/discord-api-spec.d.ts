/** The schemas of the package, which declares types only for its other entry. */
declare module 'discord-api-spec/zod' {
  interface Schema {
    safeParse(value: unknown): { readonly success: boolean; readonly error?: unknown };
  }
  export const MessageCreateRequestSchema: Schema;
  export const MessageEditRequestPartialSchema: Schema;
  export const MessageResponseSchema: Schema;
}
