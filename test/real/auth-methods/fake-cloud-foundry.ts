// A fake Cloud Foundry API: it logs Vault in, and knows the one application with its space and organisation.

import { type Fake, listen } from './listen.ts';

/** An instance's id as Cloud Foundry writes it: shorter than a UUID. */
export const cfInstance = 'f9c7cd7d-1612-4f57-63a8-f995';
export const cf = {
  organization: '34a878d0-c2f9-4521-ba73-a9f664e82c7b',
  space: '3d2eba6b-ef19-44d5-91dd-1975b0db5cc9',
  app: '2d3e834a-3a25-4591-974c-fa5626d5d0a1',
};

const resource = (guid: string, entity: object) => ({ metadata: { guid }, entity });

export const fakeCloudFoundry = (): Promise<Fake> =>
  listen(({ url }, self) => {
    const replies: [RegExp, object][] = [
      [/^\/v2\/info$/, { authorization_endpoint: self, token_endpoint: self }],
      [/^\/oauth\/token$/, { access_token: 'example', token_type: 'bearer', expires_in: 3600 }],
      [/^\/v2\/apps\//, resource(cf.app, { name: 'shop', instances: 1, space_guid: cf.space })],
      [/^\/v2\/spaces\//, resource(cf.space, { name: 'prod', organization_guid: cf.organization })],
      [/^\/v2\/organizations\//, resource(cf.organization, { name: 'example' })],
    ];
    const found = replies.find(([path]) => path.test(url.pathname));
    return found === undefined ? { status: 404, body: {} } : { body: found[1] };
  });
