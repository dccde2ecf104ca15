# The commands of the original's Kubernetes document, word for word and in its order; blank lines separate them.

kubectl create namespace promsnmp

kubectl apply -f namespace.yaml
kubectl apply -f configmap.yaml
kubectl apply -f secret.yaml
kubectl apply -f pvc.yaml
kubectl apply -f redis.yaml
kubectl apply -f deployment.yaml
kubectl apply -f service.yaml
kubectl apply -f pdb.yaml

kubectl get all -n promsnmp

kubectl get pods -n promsnmp -w

KEY=$(openssl rand -base64 12 | tr -d '\n' | head -c 16)
kubectl create secret generic promsnmp-secrets \
  --namespace promsnmp \
  --from-literal=PROM_ENCRYPT_KEY="$KEY" \
  --dry-run=client -o yaml | kubectl apply -f -

kubectl scale deployment promsnmp -n promsnmp --replicas=5

kubectl patch hpa promsnmp -n promsnmp -p '{"spec":{"minReplicas":5}}'

kubectl set image deployment/promsnmp \
  promsnmp=ghcr.io/pbrane/promsnmp-metrics:v0.0.11 \
  -n promsnmp

kubectl rollout status deployment/promsnmp -n promsnmp

kubectl rollout undo deployment/promsnmp -n promsnmp

kubectl create configmap promsnmp-dashboard \
  --from-file=dashboard.json \
  -n monitoring

kubectl label configmap promsnmp-dashboard grafana_dashboard=1 -n monitoring

kubectl describe pod -l app.kubernetes.io/name=promsnmp -n promsnmp

kubectl logs -l app.kubernetes.io/name=promsnmp -n promsnmp --tail=100

kubectl get pvc -n promsnmp

kubectl describe pvc promsnmp-inventory -n promsnmp

kubectl get storageclass

kubectl exec -it redis-0 -n promsnmp -- redis-cli GET leader

kubectl logs -l app.kubernetes.io/name=promsnmp -n promsnmp | grep -i leader

kubectl exec -it redis-0 -n promsnmp -- redis-cli DEL leader

kubectl top pods -n promsnmp

kubectl exec -it <pod> -n promsnmp -- \
  curl -s localhost:8080/actuator/metrics/jvm.memory.used

kubectl patch deployment promsnmp -n promsnmp \
  -p '{"spec":{"template":{"spec":{"containers":[{"name":"promsnmp","resources":{"limits":{"memory":"2Gi"}}}]}}}}'

kubectl exec -it <pod> -n promsnmp -- ls -la /app/data/

kubectl exec -it <pod> -n promsnmp -- cat /app/data/promsnmp-inventory.json | head

for pod in $(kubectl get pods -n promsnmp -o name); do
  echo "=== $pod ==="
  kubectl exec -it $pod -n promsnmp -- md5sum /app/data/promsnmp-inventory.json
done

kubectl patch service promsnmp -n promsnmp \
  -p '{"spec":{"selector":{"version":"green"}}}'

kubectl scale deployment promsnmp -n promsnmp --replicas=0

helm install promsnmp ./charts/promsnmp \
  --namespace promsnmp \
  --create-namespace \
  -f values.yaml
