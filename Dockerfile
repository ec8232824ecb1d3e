# syntax=docker/dockerfile:1
# An image of the gateway: Node, the bundle and its packages; no shell, no package manager.
# docker build -t openclaw-gateway .

FROM node:26.10.0-trixie-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund
RUN npm run build
# What remains are the packages that an installation has, as the lockfile pins them.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund
# Node needs one library that the base of the image does not have.
RUN mkdir -p /out/app /out/data /out/lib \
 && cp -L /usr/lib/*/libatomic.so.1 /out/lib/ \
 && cp -r package.json LICENSE bin node_modules /out/app/ \
 && mkdir /out/app/dist && cp -r dist/bundle dist/web dist/THIRD_PARTY_LICENSES /out/app/dist/ \
 && find /out/app -name '*.map' -delete \
 && chmod -R g=u /out/data

# The C library and certificates, and nothing else.
FROM gcr.io/distroless/cc-debian13
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /out/lib /usr/lib
COPY --from=build /out/app /app
# Platforms that choose the user (OpenShift) give it group 0.
COPY --from=build --chown=65532:0 --chmod=0770 /out/data /data
ENV NODE_ENV=production OPENCLAW_GATEWAY_HOST=0.0.0.0 SQLITE_TMPDIR=/data
# The settings are /config.yaml; paths in them count from here, and by default lead to /data.
WORKDIR /
VOLUME /data
USER 65532
EXPOSE 18789
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPENCLAW_GATEWAY_PORT ?? 18789}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/openclaw.js"]
CMD ["start"]
