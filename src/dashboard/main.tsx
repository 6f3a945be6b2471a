import { render } from 'preact';
import { App } from './app.js';

const page = document.getElementById('page');
if (page) render(<App />, page);
