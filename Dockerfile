# The simulated engine, for people with a registry: docker build -t tuner-tui-simulated .
# Without one: make docker-images
FROM python:3.13-slim
RUN pip install --no-cache-dir "aiohttp>=3.10"
COPY tuner_tui/__init__.py /opt/tuner-tui/tuner_tui/
COPY tuner_tui/engines/__init__.py /opt/tuner-tui/tuner_tui/engines/
COPY tuner_tui/engines/simulated/ /opt/tuner-tui/tuner_tui/engines/simulated/
ENV PYTHONPATH=/opt/tuner-tui PYTHONUNBUFFERED=1
EXPOSE 30000
CMD ["python3", "-m", "tuner_tui.engines.simulated", "--model-path", "llama-3.2-1b-instruct", "--host", "0.0.0.0", "--port", "30000"]
