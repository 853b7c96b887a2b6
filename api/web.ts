// The web page: a few static files, read once at the start. Found beside api/ in the sources and in dist/ alike.

import { readFileSync } from 'node:fs';
import type { App } from './bare-app.ts';

const folder = new URL('../dashboards/web/', import.meta.url);

const files = [
  { url: '/', name: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/web/app.js', name: 'app.js', type: 'text/javascript; charset=utf-8' },
  { url: '/web/page.js', name: 'page.js', type: 'text/javascript; charset=utf-8' },
  { url: '/web/incidents.js', name: 'incidents.js', type: 'text/javascript; charset=utf-8' },
  { url: '/web/style.css', name: 'style.css', type: 'text/css; charset=utf-8' },
  { url: '/web/icon.svg', name: 'icon.svg', type: 'image/svg+xml' },
];

export function addWeb(app: App): void {
  for (const { url, name, type } of files) {
    const content = readFileSync(new URL(name, folder));
    app.get(url, { schema: { hide: true } }, async (_request, reply) => reply.type(type).send(content));
  }
}
