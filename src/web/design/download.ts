/** Saves a file where the browser keeps downloads. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // Not at once: some browsers read it only after the event.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
