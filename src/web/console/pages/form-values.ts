export class FormValues {
  readonly #data: FormData;

  /** @param event the submission, which is not sent anywhere */
  constructor(event: SubmitEvent) {
    event.preventDefault();
    this.#data = new FormData(event.target as HTMLFormElement);
  }

  /** Returns the text of a field as it was typed; empty for a field that there is not. */
  text(name: string): string {
    const value = this.#data.get(name);
    return typeof value === 'string' ? value : '';
  }

  /** Returns the values of the boxes that are checked. */
  checked(name: string): readonly string[] {
    return this.#data.getAll(name).filter((value) => typeof value === 'string');
  }

  /** Returns the words of a field, which spaces, commas and lines divide. */
  words(name: string): readonly string[] {
    return this.text(name)
      .split(/[\s,]+/)
      .filter((word) => word !== '');
  }

  /** Returns the texts of the fields with these names that are not empty, by name. */
  filled(...names: readonly string[]): Readonly<Record<string, string>> {
    return Object.fromEntries(names.map((name) => [name, this.text(name)]).filter(([, text]) => text !== ''));
  }

  /** Returns true for a field that the form has. */
  has(name: string): boolean {
    return this.#data.has(name);
  }
}
