import { stripComments } from 'jsonc-parser';
import { removeFromJsonc, setInJsonc } from '../../../base/edit-jsonc.js';
import { JsonSyntaxError, parseJsonc } from '../../../base/jsonc.js';
import { type ConfigFormat, SyntaxProblem } from './config-format.js';

/** JSON, also with comments and trailing commas, as VS Code and Zed have it. */
export const json: ConfigFormat = {
  parse(text) {
    if (stripComments(text).trim() === '') return {};
    try {
      return parseJsonc(text).value;
    } catch (error) {
      throw error instanceof JsonSyntaxError ? new SyntaxProblem(error.message) : error;
    }
  },
  // An empty object on one line gets the form of a new file.
  set: (text, path, value) =>
    setInJsonc(/^\s*\{\s*\}\s*$/.test(text) ? text.replace(/[^\r\n]/g, '') : text, path, value),
  remove: removeFromJsonc,
  print: (value) => `${JSON.stringify(value, null, 2)}\n`,
};
