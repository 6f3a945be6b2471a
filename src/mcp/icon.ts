import type { Icon } from '@modelcontextprotocol/sdk/types.js';

/** `dashboard/icon.svg`, which a client can show without a request: a server on stdio has no address. */
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><title>Agent Runtime</title>' +
  '<rect width="32" height="32" rx="7" fill="#2f6fde"/>' +
  '<path d="M9 22 16 8l7 14M12 17h8" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>';

export const icon: Icon = {
  src: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`,
  mimeType: 'image/svg+xml',
  sizes: ['any'],
};
