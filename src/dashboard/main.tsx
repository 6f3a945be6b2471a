import { render } from 'preact';
import { App } from './app.js';
import { followPreferences } from './shell/preferences.js';

followPreferences();
const page = document.getElementById('page');
if (page) render(<App />, page);
