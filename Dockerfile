# The relay in an image of its own; docs/container.md says how it is run.
# Another base needs Python 3.11 or newer with venv: --build-arg BASE=...
ARG BASE=docker.io/library/python:3.11-slim

FROM ${BASE} AS build
WORKDIR /src
# pip stays in a second environment: what is carried over has none.
RUN ["python3", "-m", "venv", "/build"]
RUN ["python3", "-m", "venv", "--without-pip", "/opt/mailrouter"]
# Versions and hashes are those of requirements/ (`make lock`): an image made again holds the same.
COPY requirements requirements
RUN ["/build/bin/pip", "install", "--no-cache-dir", "--require-hashes", "--requirement", "requirements/build.txt"]
RUN ["/build/bin/pip", "--python", "/opt/mailrouter/bin/python", "install", "--no-cache-dir", "--no-compile", \
     "--require-hashes", "--requirement", "requirements/image.txt"]
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY templates templates
COPY mailrouter mailrouter
RUN ["/build/bin/pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "/wheel", "."]
RUN ["/build/bin/pip", "--python", "/opt/mailrouter/bin/python", "install", "--no-compile", "--no-deps", "--no-index", \
     "--find-links", "/wheel", "mailrouter"]
# unchecked-hash: in an image the source never changes, so no start need compare times.
RUN ["/opt/mailrouter/bin/python", "-m", "compileall", "-q", "-j", "0", \
     "--invalidation-mode", "unchecked-hash", "/opt/mailrouter/lib"]

FROM ${BASE}
LABEL org.opencontainers.image.title="mailrouter" \
      org.opencontainers.image.description="A mail relay for people who share one job" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 mailrouter \
 && useradd --uid 10001 --gid mailrouter --no-create-home --home-dir /var/lib/mailrouter \
            --shell /usr/sbin/nologin mailrouter \
 && install -d -m 0755 /etc/mailrouter \
 && install -d -m 0750 -o mailrouter -g mailrouter /var/lib/mailrouter
COPY --from=build /opt/mailrouter /opt/mailrouter
ENV PATH=/opt/mailrouter/bin:$PATH \
    PYTHONUNBUFFERED=1
# The official image has no bytecode of the standard library, and a read-only root could never keep any.
RUN ["/opt/mailrouter/bin/python", "-c", "import mailrouter.service.wiring, mailrouter.cli.serve, smtplib, uvloop"]
ENV PYTHONDONTWRITEBYTECODE=1

USER 10001:10001
WORKDIR /var/lib/mailrouter
VOLUME ["/var/lib/mailrouter"]
EXPOSE 2525
STOPSIGNAL SIGTERM
# The greeting, at the very port that mail comes to. It doesn't read the configuration: a file being edited must not make a
# running relay look ill.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-I", "-c", "import smtplib; smtplib.SMTP('127.0.0.1', 2525, timeout=4).quit()"]
ENTRYPOINT ["mailrouter"]
CMD ["serve"]
