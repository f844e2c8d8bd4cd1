# The rankd server. Build: docker build -t rankd .

FROM rust:1.95.0-slim-bookworm AS build
# The image's own compiler is the pinned one; without this, rustup would fetch the components that
# rust-toolchain.toml names for development.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package rankd

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin rankd \
    && install --directory --owner rankd --group rankd --mode 0750 /var/lib/rankd
COPY --from=build /src/target/release/rankd /usr/local/bin/rankd
COPY LICENSE-APACHE LICENSE-MIT data/README.md /usr/share/doc/rankd/
USER rankd
# Every other setting has its variable too; see the documentation.
ENV RANKD_HTTP=0.0.0.0:8080 RANKD_DATA=/var/lib/rankd
VOLUME /var/lib/rankd
EXPOSE 8080
# The address above is not a loopback one, and the server refuses it without a file of board keys
# (RANKD_KEYS) unless RANKD_ALLOW_ANONYMOUS=true is set: whoever runs the image decides, not the
# image. RANKD_TLS_CERT and RANKD_TLS_KEY make it speak TLS.
# No HEALTHCHECK: the image has no HTTP client. Probe GET /healthz and GET /readyz from outside.
ENTRYPOINT ["rankd", "serve"]
