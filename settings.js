/**
 * Node-RED's settings for this repository: `npm start` uses them, and so does
 * `node-red --settings settings.js --userDir <folder>` by hand. Everything changeable comes from the environment.
 */
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { timingSafeEqual, createHash } = require('node:crypto');

const host = process.env.HOST || '127.0.0.1';
const password = process.env.EDITOR_PASSWORD || '';
const loopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

// An editor that anybody can open runs anybody's commands.
if (!loopback && password === '') throw new Error(`HOST=${host} needs EDITOR_PASSWORD`);

// `npm start` holds the other end: without it (however it ended) Node-RED has no broker and no reason to stay.
if (process.channel) process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));

module.exports = {
  uiHost: host,
  uiPort: Number(process.env.PORT || 1880),
  flowFile: 'flows.json',
  flowFilePretty: true,
  credentialSecret: process.env.CREDENTIAL_SECRET || keptSecret(),
  httpAdminRoot: '/',
  httpNodeRoot: '/',
  telemetry: { enabled: false, updateNotification: false },
  externalModules: { autoInstall: false, palette: { allowUpdate: false }, modules: { allowInstall: false } },
  functionExternalModules: false,
  exportGlobalContextKeys: false,
  diagnostics: { enabled: true, ui: true },
  runtimeState: { enabled: false, ui: false },
  logging: { console: { level: process.env.LOG_LEVEL || 'info', metrics: false, audit: false } },
  editorTheme: {
    page: { title: 'Fusewise' },
    header: { title: 'Fusewise' },
    palette: { categories: ['fusewise', 'common', 'function', 'network', 'sequence', 'parser', 'storage'] },
    tours: false,
  },
  ...(password === '' ? {} : locked(password)),
};

/** The key that `npm start` keeps beside the flows. */
function keptSecret() {
  const file = join(process.env.USER_DIR || '.node-red', '.credential-secret');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** Editor, HTTP nodes and dashboard (its web socket too) behind user "admin" and one password. */
function locked(secret) {
  // Node-RED's own copy, wherever it is installed.
  const bcrypt = require.main.require('bcryptjs');
  const hash = bcrypt.hashSync(secret, 10);
  const refused = { 'WWW-Authenticate': 'Basic realm="Fusewise"' };
  return {
    adminAuth: { type: 'credentials', users: [{ username: 'admin', password: hash, permissions: '*' }] },
    httpNodeAuth: { user: 'admin', pass: hash },
    dashboard: {
      middleware: (req, res, next) =>
        knows(req.headers.authorization, secret) ? next() : res.writeHead(401, refused).end(),
      ioMiddleware: (socket, next) =>
        next(knows(socket.handshake.headers.authorization, secret) ? undefined : new Error('log in first')),
    },
  };
}

function knows(header, secret) {
  const digest = (value) => createHash('sha256').update(value).digest();
  const expected = `Basic ${Buffer.from(`admin:${secret}`).toString('base64')}`;
  return timingSafeEqual(digest(header || ''), digest(expected));
}
