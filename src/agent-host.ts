import { hookModules } from './agents/modules/hook-modules.js';
import { serveModule } from './agents/modules/serve-module.js';
import { serveSink } from './agents/sinks/serve-sink.js';

/**
 * Entry of the child process that loads a module of the user's own: describes its agents and checks payloads by their
 * schemas, or, with `sink` and its name, gives events to its sink.
 */
const [path = '', kind, name = ''] = process.argv.slice(2);
const importedFiles = hookModules();
if (kind === 'sink') serveSink(path, name);
else serveModule(path, importedFiles);
