// Appends COUNT lines of its own to the day's file in DIRECTORY, through the log as the program has it.
import { createLog } from '../../../src/base/log.js';
import { createLogFile } from '../../../src/base/log-file.js';

const [directory = '', count = '0', partBytes = '0'] = process.argv.slice(2);
const to = createLogFile({ directory, partBytes: Number(partBytes) || undefined });
const log = createLog({ level: 'silent', redact: (text) => text, file: { level: 'info', to } });
for (let line = 0; line < Number(count); line++) log.info('line', { line, filling: 'x'.repeat(line % 700) });
