/** The body of a request. */
export interface EncodedBody {
  readonly type: string;
  readonly content: string | Uint8Array;
}

/** A file of a call. */
export interface SentFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function asJson(value: object): EncodedBody {
  return { type: 'application/json', content: JSON.stringify(value) };
}

/** Encodes a body as a form. Fields that are not texts become JSON; undefined ones are left out. */
export function asForm(fields: object): EncodedBody {
  return {
    type: 'application/x-www-form-urlencoded; charset=utf-8',
    content: new URLSearchParams(toTexts(fields)).toString(),
  };
}

/** Encodes a body as a form with files. */
export async function asMultipart(fields: object, files: Readonly<Record<string, SentFile>>): Promise<EncodedBody> {
  const form = new FormData();
  for (const [key, text] of toTexts(fields)) form.set(key, text);
  for (const [key, { name, mimeType, bytes }] of Object.entries(files))
    form.set(key, new Blob([bytes], { type: mimeType }), name);
  const encoded = new Response(form);
  return {
    type: encoded.headers.get('content-type') ?? '',
    content: new Uint8Array(await encoded.arrayBuffer()),
  };
}

/** Returns the value of a text in JSON; undefined for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toTexts(fields: object): [string, string][] {
  return Object.entries(fields).flatMap(([key, value]): [string, string][] => {
    if (value === undefined) return [];
    return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}
