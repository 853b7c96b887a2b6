// A fake GitHub API: the user of a token, her organisation, and that she is in no team.

import { type Fake, listen } from './listen.ts';

export const githubToken = 'example-github-token';

export const fakeGithub = (): Promise<Fake> =>
  listen(({ url, headers }) => {
    if (headers.authorization !== `Bearer ${githubToken}`)
      return { status: 401, body: { message: 'Bad credentials' } };
    const org = { id: 1234, login: 'example-org' };
    const replies: [string, object][] = [
      ['/user/orgs', [org]],
      ['/user/teams', []],
      ['/user', { id: 1, login: 'gita-dev' }],
      ['/orgs/example-org', org],
    ];
    const found = replies.find(([path]) => url.pathname.endsWith(path));
    return found === undefined ? { status: 404, body: { message: 'Not Found' } } : { body: found[1] };
  });
