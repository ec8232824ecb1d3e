/** The fields of a DTO, which is a class for the document only. */
export type FieldsOf<T> = { [F in keyof T]: T[F] };
