import { notify } from './notices.js';

/** Puts a text on the clipboard, and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`${what} is copied.`);
  } catch {
    // Over plain HTTP from another machine a browser has no clipboard.
    notify('The browser does not let this page copy. Download it instead.', true);
  }
}

/** Lets the browser save a text as a file. */
export function save(text: string, fileName: string): void {
  const type = fileName.endsWith('.json') ? 'application/json' : 'text/plain;charset=utf-8';
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
